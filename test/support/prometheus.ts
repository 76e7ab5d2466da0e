/** A real Prometheus for a test, and promtool's opinion of what a server exposes. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

export class PrometheusServer implements AsyncDisposable {
  readonly url: string;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  /** @param targets `host:port`, scraped each second */
  static async start(targets: readonly string[]): Promise<PrometheusServer> {
    const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-prometheus-'));
    const port = await freePort();
    const job = `{job_name: test, scrape_interval: 1s, static_configs: [{targets: ${JSON.stringify(targets)}}]}`;
    await writeFile(path.join(folder, 'prometheus.yml'), `scrape_configs: [${job}]\n`);
    const flags = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn('prometheus', flags, { stdio: 'ignore' });
    return new PrometheusServer(`http://127.0.0.1:${port}`, async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(folder, { recursive: true });
    });
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
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
