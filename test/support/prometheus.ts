/** A real Prometheus for a test, and promtool's opinion of what a server exposes. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Programs that are not installed. */
export const missingPrograms: readonly string[] = ['prometheus', 'promtool'].filter(
  (name) => spawnSync(name, ['--version']).error !== undefined,
);

/** For the name of a test that needs them. */
export const whereMissing =
  missingPrograms.length === 0 ? '' : ` (skipped: ${missingPrograms.join(' and ')} not installed)`;

/** What promtool objects to in metrics of ours; @param exposition as served at `/metrics` @throws Error when it cannot read them */
export async function objectionsTo(exposition: string): Promise<string[]> {
  const check = execFile('promtool', ['check', 'metrics']);
  let said = '';
  for (const output of [check.stdout, check.stderr]) {
    output?.on('data', (part: string) => {
      said += part;
    });
  }
  check.stdin?.end(exposition);
  const [code] = await once(check, 'close');
  // 3: it objects, as it has for nine years to the names of prom-client's own process metrics.
  if (code !== 0 && code !== 3) throw new Error(`promtool ended with ${code}: ${said}`);
  return said.split('\n').filter((line) => line.startsWith('ragscale_'));
}

/** What is scraped, and as what: labels such as `namespace` and `pod`, which service discovery would set. */
export interface ScrapeTarget {
  /** `host:port` */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrometheusOptions {
  /** Whole milliseconds; one second unless given. */
  readonly scrapeIntervalMs?: number;
  /** Such as one of a label of each sample: entries of `metric_relabel_configs`. */
  readonly relabel?: readonly Readonly<Record<string, unknown>>[];
}

export class PrometheusServer implements AsyncDisposable {
  /** The same after a restart. */
  readonly url: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(url: string, folder: string) {
    this.url = url;
    this.#folder = folder;
  }

  /** @param targets each as `host:port`, or with labels */
  static async start(
    targets: readonly (string | ScrapeTarget)[],
    { scrapeIntervalMs = 1_000, relabel = [] }: PrometheusOptions = {},
  ): Promise<PrometheusServer> {
    const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-prometheus-'));
    const server = new PrometheusServer(`http://127.0.0.1:${await freePort()}`, folder);
    await server.setTargets(targets);
    const job = {
      job_name: 'test',
      scrape_interval: `${scrapeIntervalMs}ms`,
      scrape_timeout: `${scrapeIntervalMs}ms`,
      file_sd_configs: [{ files: [`${folder}/targets.json`] }],
      metric_relabel_configs: relabel,
    };
    // What is JSON is YAML.
    await writeFile(path.join(folder, 'prometheus.yml'), JSON.stringify({ scrape_configs: [job] }));
    server.begin();
    return server;
  }

  /** From the next scrape on, in a second or so; one that is not named any more was removed in order. */
  async setTargets(targets: readonly (string | ScrapeTarget)[]): Promise<void> {
    const groups = targets.map((target) =>
      typeof target === 'string' ? { targets: [target] } : { targets: [target.address], labels: target.labels },
    );
    // Renamed when it is whole: Prometheus reads it as soon as it changes.
    await writeFile(path.join(this.#folder, 'targets.part'), JSON.stringify(groups));
    await rename(path.join(this.#folder, 'targets.part'), path.join(this.#folder, 'targets.json'));
  }

  /** The process starts; it answers soon. */
  begin(): void {
    const flags = [
      `--config.file=${this.#folder}/prometheus.yml`,
      `--storage.tsdb.path=${this.#folder}/data`,
      `--web.listen-address=${new URL(this.url).host}`,
    ];
    this.#child = spawn('prometheus', flags, { stdio: 'ignore' });
  }

  /** The process ends. @param signal SIGKILL: without writing what it has in memory */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** It takes questions and answers none, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Of a process that has ended. */
  async loseData(): Promise<void> {
    await rm(path.join(this.#folder, 'data'), { recursive: true });
  }

  /** The value of a query that gives one series, as soon as there is one that is not 0. @throws Error after 20 seconds */
  async firstValue(query: string): Promise<number> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
        () => undefined,
      );
      const body = (await response?.json().catch(() => undefined)) as
        | { data: { result: { value: [number, string] }[] } }
        | undefined;
      const value = body?.data.result[0]?.value[1];
      if (value !== undefined && value !== '0') return Number(value);
      await delay(200);
    }
    throw new Error(`no value of ${query} in 20 seconds`);
  }

  /** Resolves when a query gives no series any more. @throws Error after 20 seconds */
  async noValue(query: string): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(query)}`);
      const body = (await response.json()) as { data: { result: unknown[] } };
      if (body.data.result.length === 0) return;
      await delay(200);
    }
    throw new Error(`there is still a value of ${query} after 20 seconds`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await rm(this.#folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
