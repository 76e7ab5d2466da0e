/** On which processors does what run? A proxy has one for itself; load and backends share the rest. */
import { execFileSync, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const processors = availableParallelism();
const canPin = processors > 1 && spawnSync('taskset', ['--version']).status === 0;

/** As `taskset -c` takes it; undefined where there is nothing to choose, or no taskset. */
export const PROXY_PROCESSOR = canPin ? '0' : undefined;
export const OTHER_PROCESSORS = canPin ? `1-${processors - 1}` : undefined;
const ALL_PROCESSORS = `0-${processors - 1}`;

/** Runs `work` with this process, where the load comes from, off the proxy's processor. */
export async function besideProxy<Result>(work: () => Promise<Result>): Promise<Result> {
  moveSelf(OTHER_PROCESSORS);
  try {
    return await work();
  } finally {
    moveSelf(canPin ? ALL_PROCESSORS : undefined);
  }
}

function moveSelf(cpus: string | undefined): void {
  if (cpus !== undefined) execFileSync('taskset', ['-acp', cpus, `${process.pid}`], { stdio: 'ignore' });
}
