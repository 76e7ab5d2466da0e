/**
 * `npm run measure:loadtest`: how do the three designs compare on this machine? Each is started anew for each way of arriving, and sent the same
 * questions at the same times: 5 to 60 requests a second, 1,000 of each.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { k6Program, runK6 } from './k6.ts';
import { compare } from './run.ts';
import { DESIGNS, type Design, startSystem } from './system-process.ts';

const TESTS = ['ideal', 'poisson'] as const;

/** k6 ends so when a threshold is crossed: what the report says counts. */
const CROSSED = 99;

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '5,10,15,20,25,30,35,40,45,50,55,60' },
    requests: { type: 'string', default: '1000' },
    designs: { type: 'string', default: DESIGNS.join(',') },
    pause: { type: 'string', default: '15s' },
    out: { type: 'string', default: path.join(import.meta.dirname, '../results') },
  },
});

const designs = values.designs.split(',').map((name) => {
  if (!(DESIGNS as readonly string[]).includes(name))
    throw new Error(`--designs ${name}: ${DESIGNS.join(', ')} are expected`);
  return name as Design;
});
// What was started is ended also when this is.
const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => ending.abort(new Error(`ended by ${name}`)));

const program = await k6Program();
const folder = path.resolve(process.env.INIT_CWD ?? '.', values.out);
await mkdir(folder, { recursive: true });
const files: string[] = [];
for (const design of designs) {
  for (const test of TESTS) {
    await using system = await startSystem(design, ending.signal);
    const out = path.join(folder, `${design}-${test}`);
    const { code } = await runK6(program, {
      script: test,
      signal: ending.signal,
      settings: {
        TARGET: system.url,
        NAME: design,
        RATES: values.rates,
        REQUESTS: values.requests,
        PAUSE: values.pause,
        OUT: out,
      },
      onOutput: (text) => process.stdout.write(text),
    });
    if (code !== 0 && code !== CROSSED) throw new Error(`k6 ended with ${code}`);
    files.push(`${out}.json`);
  }
}
const tables = await compare(files, folder);
const [cpu] = os.cpus();
const machine = `${os.cpus().length} x ${cpu?.model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`;
await writeFile(path.join(folder, 'machine.txt'), `${machine}\n`);
console.log(`${machine}\n\n${tables}`);
