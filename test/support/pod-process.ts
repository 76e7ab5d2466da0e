/** The built pod as a process of its own, with the models of the repository. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/rag/dist/main.js', import.meta.url));

export interface PodProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
  /** Every line of the log, parsed. */
  readonly log: Record<string, unknown>[];
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Sends SIGTERM and waits for the end. @returns the exit code */
  stop(): Promise<number | null>;
}

export interface ProcessOptions {
  readonly env?: Record<string, string>;
  /** Arguments of node, before the program. */
  readonly nodeArguments?: readonly string[];
  /** Called with each line of the log from the beginning. */
  readonly onLine?: (line: Record<string, unknown>, child: ChildProcess) => void;
}

/** Starts a pod and waits until it is ready. */
export async function startProcess({ env = {}, nodeArguments = [], onLine }: ProcessOptions = {}): Promise<PodProcess> {
  const child = spawnPod(env, nodeArguments);
  const log: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  lines.on('line', (line) => {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    log.push(parsed);
    onLine?.(parsed, child);
    if (parsed.msg === 'ready') resolve();
  });
  child.once('exit', (code) =>
    reject(new Error(`the pod ended with ${code} before it was ready: ${JSON.stringify(log)}`)),
  );
  await ready;
  const port = Number(log.find((line) => typeof line.port === 'number')?.port);
  const url = `http://127.0.0.1:${port}`;
  return {
    child,
    port,
    url,
    log,
    post: (body, headers = {}) =>
      fetch(`${url}/rag`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
}

/** Runs a pod that is meant to end by itself. */
export async function runToEnd(env: Record<string, string>): Promise<{ code: number | null; errors: string }> {
  const child = spawnPod(env, []);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  const [code] = await once(child, 'close');
  return { code, errors };
}

function spawnPod(env: Record<string, string>, nodeArguments: readonly string[]): ChildProcess {
  const { PATH } = process.env;
  return spawn(process.execPath, [...nodeArguments, MAIN], {
    env: { PATH, PORT: '0', HOST: '127.0.0.1', VARIANT: 'baseline', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
