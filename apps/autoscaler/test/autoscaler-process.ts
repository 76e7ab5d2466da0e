/** The built autoscaler of a cluster as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { KubeConfig } from '@kubernetes/client-node';
import { vi } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
/** Less than a test may take, so that it says what it waited for. */
const WITHIN = { timeout: 50_000, interval: 20 };

type Line = Readonly<Record<string, unknown>>;

export class AutoscalerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Every line of the log, parsed. */
  readonly lines: Line[] = [];
  /** The exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  /** What it wrote to standard error. */
  errors = '';
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'ragscale-autoscaler-'));

  /** On a free port unless said otherwise; no Prometheus is there. @param config undefined: there are no credentials */
  constructor(config: KubeConfig | undefined, env: Record<string, string> = {}) {
    const kubeconfig = path.join(this.#folder, 'kubeconfig');
    if (config) writeFileSync(kubeconfig, config.exportConfig(), { mode: 0o600 });
    const { PATH } = process.env;
    this.child = spawn(process.execPath, [MAIN], {
      env: {
        PATH,
        HOME: this.#folder,
        ...(config && { KUBECONFIG: kubeconfig }),
        ...{ PORT: '0', HOST: '127.0.0.1', PROMETHEUS_URL: 'http://127.0.0.1:1', PERIOD: '1s' },
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
    const output = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    output.on('line', (text) => this.lines.push(JSON.parse(text) as Line));
    this.child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      this.errors += part;
    });
  }

  /** Resolves with the first line that says so. */
  line(message: string): Promise<Line> {
    return vi.waitFor(() => {
      const found = this.lines.find(({ msg }) => typeof msg === 'string' && msg.includes(message));
      if (found === undefined) throw new Error(`no line says '${message}': ${this.#words()}`);
      return found;
    }, WITHIN);
  }

  /** The status, and what was answered. */
  async ask(at: string): Promise<{ readonly status: number; readonly text: string }> {
    const { port } = await this.line('listening');
    const response = await fetch(`http://127.0.0.1:${String(port)}${at}`, { signal: AbortSignal.timeout(5_000) });
    return { status: response.status, text: await response.text() };
  }

  /** The value of the one series that begins so. */
  async metric(series: string): Promise<number> {
    const { text } = await this.ask('/metrics');
    const found = text.split('\n').find((line) => line.startsWith(series));
    if (found === undefined) throw new Error(`no series ${series}`);
    return Number(found.slice(found.lastIndexOf(' ')));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #words(): string {
    return [...this.lines.slice(-10).map((line) => JSON.stringify(line)), this.errors].join('\n');
  }
}
