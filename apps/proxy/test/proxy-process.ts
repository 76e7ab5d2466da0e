/** The built proxy as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

export interface ProxyProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  readonly adminUrl: string;
  /** Every line of the log, parsed. */
  readonly log: Record<string, unknown>[];
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** Resolves with the first line that says so. */
  line(message: string): Promise<Record<string, unknown>>;
}

/** Starts a proxy and waits until it is ready. */
export async function startProcess(env: Record<string, string>): Promise<ProxyProcess> {
  const child = spawnProxy(env);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const log: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  let onLine: () => void = () => undefined;
  lines.on('line', (text) => {
    log.push(JSON.parse(text) as Record<string, unknown>);
    onLine();
  });
  const line = (message: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      onLine = () => {
        const found = log.find(({ msg }) => msg === message);
        if (found !== undefined) resolve(found);
      };
      onLine();
      void ended.then((code) => reject(new Error(`ended with ${code} before '${message}': ${JSON.stringify(log)}`)));
    });
  await line('ready');
  const { port, adminPort } = await line('listening');
  return {
    child,
    url: `http://127.0.0.1:${String(port)}`,
    adminUrl: `http://127.0.0.1:${String(adminPort)}`,
    log,
    ended,
    line,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs a proxy that is meant to end by itself. */
export async function runToEnd(env: Record<string, string>): Promise<{ code: number | null; errors: string }> {
  const child = spawnProxy(env);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    errors += part;
  });
  const [code] = await once(child, 'close');
  return { code, errors };
}

function spawnProxy(env: Record<string, string>): ChildProcess {
  const { PATH } = process.env;
  return spawn(process.execPath, [MAIN], {
    env: { PATH, PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', BACKENDS: 'http://127.0.0.1:1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
