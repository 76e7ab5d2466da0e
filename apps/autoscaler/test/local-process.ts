/** The built local system as a process of its own, with the processes that it starts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/local/main.js', import.meta.url));
/** Less than a test may take, so that it says what it waited for. */
const PATIENCE_MS = 50_000;

/** Every line that it writes. */
export type Line = Readonly<Record<string, unknown>> & { readonly process: string; readonly msg: string };

export class LocalProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  readonly ended: Promise<number | null>;
  /** What it wrote to standard error. */
  errors = '';

  /** @param env on free ports unless said otherwise */
  constructor(env: Record<string, string> = {}) {
    const { PATH } = process.env;
    const ports = { PORT: '0', ADMIN_PORT: '0', POD_PORT: '0', AUTOSCALER_PORT: '0', HOST: '127.0.0.1' };
    this.child = spawn(process.execPath, [MAIN], {
      env: { PATH, ...ports, LOG_LEVEL: 'info', ACCESS_LOG_PERCENT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
    const output = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    output.on('line', (text) => this.lines.push(JSON.parse(text) as Line));
    this.child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      this.errors += part;
    });
  }

  /** Resolves with the first line that says so. @throws Error when it has ended without */
  async line(msg: string | RegExp, from = 0): Promise<Line> {
    const find = () => this.lines.slice(from).find((line) => line.process === 'local' && matches(line.msg, msg));
    await this.until(() => find() !== undefined || this.child.exitCode !== null, `a line ${msg}`);
    const line = find();
    if (line === undefined) throw new Error(`ended without ${msg}: ${this.errors}${JSON.stringify(this.lines)}`);
    return line;
  }

  /** Of all processes that it has started, also of those that have ended. @param name the beginning of it */
  pids(name: string): number[] {
    const started = this.lines.filter(({ process, msg }) => msg === 'started' && process.startsWith(name));
    return started.map(({ pid }) => Number(pid));
  }

  async url(which: 'url' | 'adminUrl' | 'autoscalerUrl' = 'url'): Promise<string> {
    return String((await this.line('ready'))[which]).replace('localhost', '127.0.0.1');
  }

  async ask(query = 'Which animals can hover in the air?'): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return fetch(`${await this.url()}/rag`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  }

  /** Asks and asks, so many at once. @param isOver asked before each @returns the status of each answer */
  async load(atOnce: number, isOver: () => boolean): Promise<number[]> {
    const statuses: number[] = [];
    const client = async (): Promise<void> => {
      while (!isOver()) {
        // Each another one: what was asked before is answered sooner.
        const response = await this.ask(`Number ${statuses.length} of ${Math.random()}: which animals can hover?`);
        await response.arrayBuffer();
        statuses.push(response.status);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, client));
    return statuses;
  }

  /** Pods that the proxy knows, and that are able by its own probes. */
  async healthyPods(): Promise<number> {
    const response = await fetch(`${await this.url('adminUrl')}/endpoints`).catch(() => undefined);
    const body = (await response?.json()) as { routes: { default: { state: string }[] } } | undefined;
    return body?.routes.default.filter(({ state }) => state === 'healthy').length ?? 0;
  }

  /** @throws Error after most of a minute, with what the autoscaler said last */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const spoken = () => this.lines.filter(({ process }) => ['autoscaler', 'local'].includes(process));
    return until(condition, what, () =>
      spoken()
        .slice(-20)
        .map((line) => JSON.stringify(line))
        .join('\n'),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    await this.until(() => !this.pids('').some(isAlive), 'the end of all processes');
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** @throws Error after most of a minute */
async function until(condition: () => boolean | Promise<boolean>, what: string, context: () => string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain for ${what}:\n${context()}`);
    await delay(20);
  }
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text);
}
