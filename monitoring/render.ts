/** Writes dashboards and rules into the chart: `npm run monitoring:render`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderFiles } from './files.ts';

for (const [file, text] of renderFiles()) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(path.relative(process.cwd(), file));
}
