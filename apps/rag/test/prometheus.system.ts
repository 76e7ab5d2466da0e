/** What a real Prometheus makes of a real pod's metrics. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PodProcess, startProcess } from './pod-process.ts';

const missing = ['prometheus', 'promtool'].filter((name) => spawnSync(name, ['--version']).error !== undefined);
const where = missing.length === 0 ? '' : ` (skipped: ${missing.join(' and ')} not installed)`;

let pod: PodProcess;
beforeAll(async () => {
  pod = await startProcess();
  for (let i = 0; i < 5; i++) await (await pod.post({ query: 'Which animals can hover in the air?' })).text();
  await (await pod.post({ query: '' })).text();
});
afterAll(async () => {
  await pod?.stop();
});

it.skipIf(missing.length > 0)(`promtool finds nothing to object to${where}`, async () => {
  const metrics = await (await fetch(`${pod.url}/metrics`)).text();
  const check = execFile('promtool', ['check', 'metrics']);
  let said = '';
  check.stdout?.on('data', (part: string) => {
    said += part;
  });
  check.stderr?.on('data', (part: string) => {
    said += part;
  });
  check.stdin?.end(metrics);
  const [code] = await once(check, 'close');
  // Names that prom-client's own process metrics have had for ten years, and that promtool has objected to for nine.
  const ours = said.split('\n').filter((line) => line.startsWith('ragscale_'));
  expect(ours).toEqual([]);
  expect([0, 3]).toContain(code);
});

it.skipIf(missing.length > 0)(`Prometheus scrapes the pod and computes its latency${where}`, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'ragscale-prometheus-'));
  const port = await freePort();
  const job = `{job_name: pod, scrape_interval: 1s, static_configs: [{targets: ['127.0.0.1:${pod.port}']}]}`;
  await writeFile(path.join(folder, 'prometheus.yml'), `scrape_configs: [${job}]\n`);
  const flags = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const prometheus = spawn('prometheus', flags, { stdio: 'ignore' });
  try {
    expect(await firstValue(port, 'up')).toBe(1);
    expect(await firstValue(port, 'sum(ragscale_request_duration_seconds_count{route="/rag",status="200"})')).toBe(5);
    expect(await firstValue(port, 'sum(ragscale_request_duration_seconds_count{route="/rag",status="400"})')).toBe(1);
    expect(await firstValue(port, 'ragscale_slots')).toBe(1);
    expect(await firstValue(port, 'sum(ragscale_tokens_total{kind="generated"})')).toBeGreaterThan(5);
    // The objective is a bound of its own: the share over it needs no interpolation.
    expect(
      await firstValue(port, 'sum(ragscale_request_duration_seconds_bucket{route="/rag",status="200",le="2"})'),
    ).toBe(5);
  } finally {
    prometheus.kill('SIGTERM');
    await once(prometheus, 'exit');
    await rm(folder, { recursive: true });
  }
});

/** The value of a query that gives one series, as soon as there is one. */
async function firstValue(port: number, query: string): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
    const response = await fetch(url).catch(() => undefined);
    const body = (await response?.json().catch(() => undefined)) as
      | { data: { result: { value: [number, string] }[] } }
      | undefined;
    const value = body?.data.result[0]?.value[1];
    if (value !== undefined && value !== '0') return Number(value);
    await delay(200);
  }
  throw new Error(`no value of ${query} in 20 seconds`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
