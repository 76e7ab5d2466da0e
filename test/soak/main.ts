/** `npm run soak`: an hour of load and faults, or as long as it is told, and a report of what became of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { drawTimeline } from './draw.ts';
import { LocalSystem } from './local-system.ts';
import { readOptions, type SoakOptions, USAGE, UsageError } from './options.ts';
import { type Report, reportText } from './report.ts';
import { runSoak } from './run.ts';
import type { System } from './system.ts';

/** Outside the checkout: every request stands in it. */
const RESULTS = path.join(process.env.RAGSCALE_CACHE || path.join(homedir(), '.cache/ragscale'), 'soak');

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

/** A cluster's programs are looked at only where there is to be one. */
async function start({ local }: SoakOptions, needed: AsyncDisposableStack): Promise<System> {
  if (local) return needed.use(await LocalSystem.start());
  const { withCluster } = await import('./with-cluster.ts');
  needed.use(await withCluster());
  // What asks the cluster looks for it when it is loaded.
  const { ClusterSystem } = await import('./cluster-system.ts');
  return needed.use(await ClusterSystem.start(say));
}

async function write(report: Report, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const text = reportText(report);
  await writeFile(path.join(folder, 'report.txt'), text);
  await writeFile(path.join(folder, 'report.json'), JSON.stringify(report));
  await drawTimeline(report, path.join(folder, 'timeline.svg'));
  process.stdout.write(`\n${text}\n${folder}: report.txt, report.json, timeline.svg\n`);
}

async function soak(options: SoakOptions): Promise<boolean> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      say('ending early: what has begun is undone first');
      ending.abort();
    });
  }
  await using needed = new AsyncDisposableStack();
  const system = await start(options, needed);
  say(`under load now: ${system.what}`);
  const report = await runSoak(system, options, say, ending.signal);
  await write(report, options.out);
  return report.verdict.passed;
}

try {
  const [argument] = process.argv.slice(2);
  if (argument === '--help' || argument === '-h') process.stdout.write(`${USAGE}\n`);
  else process.exitCode = (await soak(readOptions(process.argv.slice(2), RESULTS))) ? 0 : 1;
} catch (error) {
  const text = error instanceof UsageError ? `${error.message}\n\n${USAGE}` : (error as Error).stack;
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
