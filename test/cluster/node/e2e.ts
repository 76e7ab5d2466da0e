/** How are the tests on a cluster run? On ours, which is brought up and taken down for them unless it is up, or on that of `KUBECONFIG`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { missingTools } from '../../chart/tools.ts';
import { down, loadImages, up } from './commands.ts';
import { ownLayout } from './layout.ts';
import { Phases } from './phases.ts';
import { programFolders } from './programs.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
/** Built once. */
async function makeTools(): Promise<void> {
  const make = (script: string) => spawnSync('bash', [script], { cwd: ROOT, encoding: 'utf8' });
  // Of the chart's tools those that only read it may be missing.
  const { stderr } = make('test/chart/build-tools.sh');
  if (missingTools('helm3', 'helm4') !== undefined) throw new Error(stderr.trim());
  const k6 = make('loadtest/build-k6.sh');
  if (k6.status !== 0) throw new Error(k6.stderr.trim());
}

/** @param patterns of files, for vitest @returns its exit code */
async function runTests(patterns: readonly string[], onStart: (tests: ChildProcess) => void): Promise<number> {
  const tests = spawn(path.join(ROOT, 'node_modules/.bin/vitest'), ['run', ...patterns], {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      RAGSCALE_E2E: '1',
      KUBECONFIG: ownLayout()?.kubeconfig ?? process.env.KUBECONFIG,
      // kubectl of the cluster's version.
      PATH: `${programFolders()}:${process.env.PATH}`,
    },
  });
  onStart(tests);
  const [code] = (await once(tests, 'exit')) as [number | null];
  return code ?? 1;
}

async function main(patterns: readonly string[]): Promise<number> {
  // Ctrl-C reaches what runs at the moment, too. When that has ended, so do we, in order.
  let isCalledOff = false;
  let tests: ChildProcess | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      isCalledOff = true;
      tests?.kill('SIGTERM');
    });
  const phases = new Phases();
  await phases.run('helm, k6', makeTools);
  const isOurs = await up();
  try {
    await loadImages();
    if (isCalledOff) return 130;
    return await phases.run('tests', () =>
      runTests(patterns, (started) => {
        tests = started;
      }),
    );
  } finally {
    if (isOurs) await down();
    phases.end('all');
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
