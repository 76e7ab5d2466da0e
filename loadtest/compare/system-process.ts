/** How is one of the designs started on this computer, known to answer, and ended? */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../bench/lib/free-port.ts';

const ROOT = path.join(import.meta.dirname, '../..');

const START_MS = 180_000;

export const DESIGNS = ['baseline', 'batched', 'scaled'] as const;

export type Design = (typeof DESIGNS)[number];

export interface SystemProcess extends AsyncDisposable {
  readonly url: string;
}

/** Resolves when a question has been answered. @throws Error with the end of its log, when it ends before, takes too long or is not wanted any more */
export async function startSystem(design: Design, signal: AbortSignal): Promise<SystemProcess> {
  const port = await freePort();
  // Below the load generator, which must send when it is time even while the system uses all that is left of the machine.
  const child = spawn(
    'nice',
    ['-n', '5', process.execPath, '--conditions=source', 'apps/cli/bin/ragscale.js', 'up', '--design', design],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PORT: String(port),
        ADMIN_PORT: '0',
        POD_PORT: '0',
        AUTOSCALER_PORT: '0',
        LOG_LEVEL: 'warn',
      },
    },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000);
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_MS;
  while (!(await answers(url))) {
    const ended = hasEnded(child);
    if (ended || signal.aborted || performance.now() > deadline) {
      await stop(child);
      signal.throwIfAborted();
      throw new Error(`${design} ${ended ? 'ended' : 'did not answer in time'}: ${log}`);
    }
    await sleep(200);
  }
  return { url, [Symbol.asyncDispose]: () => stop(child) };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/rag`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'Which animals can hover in the air?' }),
    });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
