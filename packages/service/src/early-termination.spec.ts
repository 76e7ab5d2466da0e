import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const FILE = fileURLToPath(new URL('./early-termination.ts', import.meta.url));
const WAIT = 'process.stdout.write("."); setInterval(() => {}, 1000);';

/** Told to end as soon as the program has said something. */
async function terminated(program: string, signal: NodeJS.Signals): Promise<unknown[]> {
  const child = spawn(process.execPath, ['--import', FILE, '--eval', program]);
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  child.kill(signal);
  return await ended;
}

it.each(['SIGTERM', 'SIGINT'] as const)('%s ends a process that does not listen yet', async (signal) => {
  // Not by the signal, which does nothing to the first process of a container.
  expect(await terminated(WAIT, signal)).toEqual([0, null]);
});

it('leaves it to the program once it listens', async () => {
  const listening = `process.on('SIGTERM', () => setTimeout(() => process.exit(7), 50)); ${WAIT}`;
  expect(await terminated(listening, 'SIGTERM')).toEqual([7, null]);
});
