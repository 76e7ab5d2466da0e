/** How does a pod get its models ready without holding up its probes? In a process of its own, whose memory goes with it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ModelFolders } from './wanted-models.ts';

/** The model could not be had; the message says all there is to know. */
export class ModelsError extends Error {
  override readonly name = 'ModelsError';
}

const PROGRAM = fileURLToPath(
  new URL(`../prepare-models${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/**
 * @param onLine called with each line that it logs
 * @throws ModelsError, and the signal's reason when it aborts
 */
export async function prepareModels(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<ModelFolders> {
  const child = fork(PROGRAM, { env: { ...env, LOG_FORMAT: 'json' }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  let folders: ModelFolders | undefined;
  let errors = '';
  child.on('message', (message) => {
    folders = message as ModelFolders;
  });
  createInterface({ input: child.stdout as Readable }).on('line', onLine);
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  try {
    signal.throwIfAborted();
    await once(child, 'close');
  } finally {
    stop();
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  if (child.exitCode === 0 && folders !== undefined) return folders;
  throw new ModelsError(errors.trim() || `the models could not be prepared (${child.signalCode ?? child.exitCode})`);
}
