/** `npm run loadtest:compare -- a.json b.json [--out FOLDER]`: how do systems compare that were sent the same load? */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { drawPictures } from './draw.ts';
import { NoReportError, parseReport, pointsOf } from './points.ts';
import { PUBLISHED } from './published.ts';
import { tablesOf } from './tables.ts';

/** @param files reports of load tests, as JSON @param folder gets the pictures and the tables @returns the tables */
export async function compare(files: readonly string[], folder: string): Promise<string> {
  const reports = await Promise.all(files.map(async (file) => parseReport(await readFile(file, 'utf8'), file)));
  const points = pointsOf(reports);
  if (points.length === 0) throw new NoReportError('no request was sent in any of these runs');
  await mkdir(folder, { recursive: true });
  const pictures = await drawPictures(points, PUBLISHED, folder);
  const tables = tablesOf(points, PUBLISHED);
  await writeFile(path.join(folder, 'comparison.md'), `${tables}\n`);
  return `${tables}\n\n${pictures.join('\n')}`;
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', default: 'loadtest-comparison' } },
  });
  // npm runs scripts in the checkout; people name files where they are.
  const from = (file: string) => path.resolve(process.env.INIT_CWD ?? '.', file);
  try {
    if (positionals.length === 0)
      throw new NoReportError('name the reports: npm run loadtest:compare -- a.json b.json');
    console.log(await compare(positionals.map(from), from(values.out)));
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
