/** What is measured through a real Prometheus, while it, the proxies and the pods come and go? No number that it gives may be a wrong one. */
import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Reading } from '@ragscale/scaling/observation';
import { realClock } from '@ragscale/service/clock';
import { PodMetrics } from '@ragscale/service/pod-metrics';
import { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  missingPrograms,
  PrometheusServer,
  type ScrapeTarget,
  whereMissing,
} from '../../../test/support/prometheus.ts';
import type { Measured, Measurements } from '../src/measurements.ts';
import { PrometheusMeasurements } from '../src/measuring/prometheus-measurements.ts';
import { ScrapedMeasurements } from '../src/measuring/scraped-measurements.ts';
import type { Target } from '../src/target.ts';
import { MetricsServer } from './metrics-server.ts';
import { send } from './steady-traffic.ts';
import { SecretFiles, TokenGuard } from './token-guard.ts';

const PER_SECOND = 40;
const ROUND_MS = 500;
const PATIENCE_MS = 45_000;
const OBJECTIVE_SECONDS = 2;

const target: Target = {
  id: 'ml/rag',
  namespace: 'ml',
  name: 'rag',
  generation: 1,
  route: 'default',
  policy: {
    maxReplicas: 10,
    objective: { metric: 'duration', latencyMs: 1_000 * OBJECTIVE_SECONDS, percentile: 95 },
    windowsMs: [5_000, 10_000],
    periodMs: ROUND_MS,
  },
};

/** A fifth is a fifth of a second late, another one refused; the rest takes 0.5 s. */
function answer(index: number) {
  if (index % 5 === 1) return { status: 200, durationMs: 2_200 };
  return index % 5 === 2 ? { status: 429, durationMs: 1 } : { status: 200, durationMs: 500 };
}

class System implements AsyncDisposable {
  readonly proxy = new ProxyMetrics({ objectiveSeconds: OBJECTIVE_SECONDS });
  readonly pods = ['rag-0', 'rag-1'];
  readonly #stops: (() => void)[] = [];
  readonly #servers = new Map<string, MetricsServer>();

  static async start(): Promise<System> {
    const system = new System();
    system.proxy.observe('default', () => ({ inFlight: 4, waiting: 3, endpoints: {} }));
    system.#stops.push(send(system.proxy, { route: 'default', perSecond: PER_SECOND, answer }));
    const other = new ProxyMetrics({ objectiveSeconds: 1 });
    system.#stops.push(send(other, { route: 'default', perSecond: 400, answer }));
    await system.#serve('proxy-0', system.proxy);
    await system.#serve('other', other);
    for (const [index, pod] of system.pods.entries()) {
      const metrics = new PodMetrics({ variant: 'batched', objectiveSeconds: OBJECTIVE_SECONDS, sharesPrefixes: true });
      metrics.queueChanged(index, 5);
      metrics.slotsChanged(16);
      await system.#serve(pod, metrics);
    }
    return system;
  }

  async #serve(name: string, metrics: PodMetrics | ProxyMetrics): Promise<void> {
    this.#servers.set(name, await MetricsServer.start(() => metrics));
  }

  server(name: string): MetricsServer {
    return this.#servers.get(name)!;
  }

  get targets(): ScrapeTarget[] {
    return [...this.#servers].map(([pod, { address }]) => ({
      address,
      labels: { pod, namespace: pod === 'other' ? 'other' : 'ml' },
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) stop();
    for (const server of this.#servers.values()) await server.kill();
  }
}

/** Measures again and again, and forgets nothing. */
class Watcher implements AsyncDisposable {
  readonly seen: Measured[] = [];
  readonly #measurements: Measurements;
  readonly #close: () => Promise<void>;
  readonly #pods: readonly string[];

  constructor(measurements: Measurements, close: () => Promise<void>, pods: readonly string[]) {
    this.#measurements = measurements;
    this.#close = close;
    this.#pods = pods;
  }

  static ofPrometheus(
    url: string,
    pods: readonly string[],
    files: { tokenFile?: string; caFile?: string } = {},
  ): Watcher {
    const measurements = new PrometheusMeasurements({ url, timeoutMs: 5_000, clock: realClock, ...files });
    return new Watcher(measurements, () => measurements.close(), pods);
  }

  /** @param proxies URLs by name, as `pods` */
  static ofProcesses(proxies: readonly [string, string][], pods: readonly [string, string][]): Watcher {
    const measurements = new ScrapedMeasurements({ proxies: () => new Map(proxies), pods: () => new Map(pods) });
    measurements.start();
    return new Watcher(
      measurements,
      () => measurements.stop(),
      pods.map(([name]) => name),
    );
  }

  async measure(): Promise<Measured> {
    const targets = [{ target, readyPods: this.#pods }];
    const found = (await this.#measurements.measure(targets, new AbortController().signal)).get(target.id)!;
    this.seen.push(found);
    return found;
  }

  async until(what: string, holds: (measured: Measured) => boolean): Promise<Measured> {
    const deadline = performance.now() + PATIENCE_MS;
    let measured = await this.measure();
    while (!holds(measured)) {
      if (performance.now() > deadline) throw new Error(`not in time: ${what}; last: ${JSON.stringify(measured)}`);
      await delay(ROUND_MS);
      measured = await this.measure();
    }
    return measured;
  }

  /** Of every round since `from`, in every window. */
  arrivalsSeen(from = 0): number[] {
    return this.seen
      .slice(from)
      .flatMap(({ observation }) => observation.arrivalRates.map(({ reading }) => reading))
      .flatMap((reading) => (reading.kind === 'value' ? [reading.value] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Every number of an observation. */
function numbersIn({ observation }: Measured): Record<string, number> {
  const { arrivalRates, badShares, ...others } = observation;
  const windowed = { arrivals: arrivalRates, bad: badShares };
  return Object.fromEntries([
    ...Object.entries(others).map(([name, reading]) => [name, numberIn(reading)]),
    ...Object.entries(windowed).flatMap(([name, readings]) =>
      readings.map(({ windowMs, reading }) => [`${name} ${windowMs}`, numberIn(reading)]),
    ),
  ]);
}

const isThere = ({ observation }: Measured) =>
  [...observation.arrivalRates, ...observation.badShares].every(({ reading }) => reading.kind === 'value') &&
  [observation.running, observation.serviceMs].every(({ kind }) => kind === 'value');

function arrivalKinds({ observation }: Measured): string[] {
  return observation.arrivalRates.map(({ reading }) => reading.kind);
}

function numberIn(reading: Reading): number {
  if (reading.kind !== 'value') throw new Error(`no value: ${JSON.stringify(reading)}`);
  return reading.value;
}

/** @param share by which numbers that a timer makes may differ */
function expectNear(numbers: readonly number[], expected: number, share = 0.15): void {
  expect(Math.min(...numbers)).toBeGreaterThan(expected * (1 - share));
  expect(Math.max(...numbers)).toBeLessThan(expected * (1 + share));
}

describe.skipIf(missingPrograms.length > 0)(`through Prometheus${whereMissing}`, () => {
  let system: System;
  let prometheus: PrometheusServer;
  let watcher: Watcher;
  beforeAll(async () => {
    system = await System.start();
    prometheus = await PrometheusServer.start(system.targets);
    watcher = Watcher.ofPrometheus(prometheus.url, system.pods);
  });
  afterAll(async () => {
    await watcher?.[Symbol.asyncDispose]();
    await prometheus?.[Symbol.asyncDispose]();
    await system?.[Symbol.asyncDispose]();
  });

  it('the numbers are those of the traffic, from the first one on', async () => {
    const measured = await watcher.until('all is measured', isThere);
    const { observation } = measured;
    expectNear(watcher.arrivalsSeen(), PER_SECOND);
    expect(observation.waiting).toEqual({ kind: 'value', value: 4 });
    expect(observation.running).toEqual({ kind: 'value', value: 10 });
    expect(observation.slots).toEqual({ kind: 'value', value: 16 });
    expectNear([numberIn(observation.completionRate)], PER_SECOND * 0.8);
    // Of five, three take 0.5 s, and one 2.2 s.
    expectNear([numberIn(observation.serviceMs)], 925, 0.05);
    expectNear([numberIn(observation.serviceP95Ms)], 2_400, 0.05);
    expectNear(
      observation.badShares.map(({ reading }) => numberIn(reading)),
      0.4,
      0.1,
    );
    expect(measured).toMatchObject({ boundMs: 2_000, isTooCoarse: false, trouble: undefined });
    expectNear([measured.scrapeIntervalMs ?? 0], 1_000, 0.05);
    expect(measured.ageMs).toBeLessThan(3_000);
  });

  it('is what the processes say when they are asked directly', async () => {
    const url = (name: string): [string, string] => [name, system.server(name).url];
    await using scraped = Watcher.ofProcesses(['proxy-0'].map(url), system.pods.map(url));
    const [direct, measured] = await Promise.all([
      scraped.until('all is scraped', isThere),
      watcher.until('all is measured', isThere),
    ]);
    expect(Object.keys(direct.observation).sort()).toEqual(Object.keys(measured.observation).sort());
    const [ours, theirs] = [numbersIn(direct), numbersIn(measured)];
    // rate() takes to the ends of its window what it has seen in the most of it.
    for (const [name, number] of Object.entries(ours)) expectNear([number], theirs[name]!, 0.15);
    expect(direct).toMatchObject({ boundMs: 2_000, isTooCoarse: false, trouble: undefined });
  });

  it('pods that cannot be scraped are neither idle nor busy: nobody knows', async () => {
    for (const pod of system.pods) await system.server(pod).kill();
    const measured = await watcher.until(
      'no pod is measured',
      ({ observation }) => observation.running.kind === 'empty',
    );
    expect(measured.observation).toMatchObject({ waiting: { kind: 'empty' }, slots: { kind: 'empty' } });
    expect(measured.trouble).toContain('2 of 2 ready pods have no metrics (rag-0, rag-1)');
    await system.server('rag-0').listen();
    const half = await watcher.until('half is measured', ({ observation }) => observation.running.kind === 'value');
    expect(half.observation).toMatchObject({ running: { value: 5 + 16 }, waiting: { value: 3 } });
    await system.server('rag-1').listen();
    await watcher.until('both are measured', ({ trouble }) => trouble === undefined);
  });

  it('a proxy that cannot be scraped is not taken for one without requests', async () => {
    const from = watcher.seen.length;
    await system.server('proxy-0').kill();
    const lost = await watcher.until('the proxy is missed', (measured) => arrivalKinds(measured).includes('failed'));
    expect(lost.trouble).toContain('proxy proxy-0');
    for (let round = 0; round < 10; round++) {
      expect(arrivalKinds(await watcher.measure())).toEqual(['failed', 'failed']);
      await delay(ROUND_MS);
    }
    await system.server('proxy-0').listen();
    await watcher.until('the proxy is back', isThere);
    expectNear(watcher.arrivalsSeen(from), PER_SECOND, 0.25);
  });

  it('a proxy that comes and is removed in order stops nothing', async () => {
    const second = new ProxyMetrics({ objectiveSeconds: OBJECTIVE_SECONDS });
    second.addRoute('default');
    await using server = await MetricsServer.start(() => second);
    const from = watcher.seen.length;
    const added = { address: server.address, labels: { pod: 'proxy-1', namespace: 'ml' } };
    await prometheus.setTargets([...system.targets, added]);
    expect(await prometheus.firstValue('up{pod="proxy-1"}')).toBe(1);
    await watcher.until('two are measured', isThere);
    await prometheus.setTargets(system.targets);
    await prometheus.noValue('up{pod="proxy-1"}');
    await server.kill();
    for (let round = 0; round < 6; round++) {
      await delay(ROUND_MS);
      expect(arrivalKinds(await watcher.measure())).toEqual(['value', 'value']);
    }
    expectNear(watcher.arrivalsSeen(from), PER_SECOND);
  });

  it('without Prometheus nothing is known, and afterwards all is again', async () => {
    const from = watcher.seen.length;
    await prometheus.end();
    const failed = await watcher.measure();
    expect(arrivalKinds(failed)).toEqual(['failed', 'failed']);
    expect(failed.observation).toMatchObject({ waiting: { kind: 'failed' }, running: { kind: 'failed' } });
    expect(failed.trouble).toContain('Prometheus: it cannot be reached: ');
    prometheus.begin();
    await watcher.until('Prometheus is back', isThere);
    expectNear(watcher.arrivalsSeen(from), PER_SECOND, 0.25);
  });

  it('what it has lost is not taken for silence', async () => {
    const from = watcher.seen.length;
    await prometheus.end('SIGKILL');
    await prometheus.loseData();
    prometheus.begin();
    const measured = await watcher.until('Prometheus is back', isThere);
    expect(
      watcher.seen.slice(from).some(({ observation }) => observation.arrivalRates[1]!.reading.kind === 'empty'),
    ).toBe(true);
    expectNear(watcher.arrivalsSeen(from), PER_SECOND);
    expect(measured.isTooCoarse).toBe(false);
  });

  it('of a job that is removed the last windows do not run dry', async () => {
    const from = watcher.seen.length;
    await prometheus.setTargets([]);
    await watcher.until(
      'all is gone',
      ({ trouble }) => trouble?.includes('there is no ragscale_proxy_waiting') ?? false,
    );
    for (let round = 0; round < 8; round++) {
      expect(arrivalKinds(await watcher.measure())).toEqual(['empty', 'empty']);
      await delay(ROUND_MS);
    }
    // Prometheus waits for two scrapes until it says that there are no more; of these one may be missing in a window.
    expectNear(watcher.arrivalsSeen(from), PER_SECOND, 0.2);
  });
});

const noOpenssl = spawnSync('openssl', ['version']).error === undefined ? '' : ' (skipped: openssl not installed)';

describe.skipIf(missingPrograms.length > 0 || noOpenssl !== '')(
  `behind TLS, for those with a token${whereMissing}${noOpenssl}`,
  () => {
    it('certificates and token come from files, the token as it is now', async () => {
      await using system = await System.start();
      await using prometheus = await PrometheusServer.start(system.targets);
      await using guard = await TokenGuard.start(prometheus.url, 'first-token');
      await using files = await SecretFiles.create({ token: 'first-token\n', ca: guard.certificate });
      const { tokenFile, caFile } = files;
      await using watcher = Watcher.ofPrometheus(guard.url, system.pods, { tokenFile, caFile });
      await watcher.until(
        'it is allowed to ask',
        ({ observation }) => observation.waiting.kind === 'value' && observation.waiting.value === 4,
      );

      guard.token = 'second-token';
      const refused = await watcher.measure();
      expect(arrivalKinds(refused)).toEqual(['failed', 'failed']);
      expect(refused.trouble).toContain('Prometheus: it answers 401: it wants a token that allows to query');
      await files.write('token', 'second-token');
      expect((await watcher.measure()).observation.waiting).toEqual({ kind: 'value', value: 4 });
      expect(JSON.stringify(watcher.seen)).not.toContain('-token');

      await using trusting = Watcher.ofPrometheus(guard.url, system.pods, { tokenFile });
      expect((await trusting.measure()).trouble).toMatch(/it cannot be reached: .*self.signed certificate/);
    });
  },
);

describe.skipIf(missingPrograms.length > 0)(`another way of scraping${whereMissing}`, () => {
  it('pods and proxies that two jobs scrape are refused', async () => {
    await using system = await System.start();
    const twice = system.targets.map((each) => ({ ...each, labels: { ...each.labels, job: 'again' } }));
    await using prometheus = await PrometheusServer.start([...system.targets, ...twice]);
    await using watcher = Watcher.ofPrometheus(prometheus.url, system.pods);
    const measured = await watcher.until(
      'both are seen',
      ({ trouble }) => trouble?.includes('proxy proxy-0: scraped by several jobs') ?? false,
    );
    expect(arrivalKinds(measured)).toEqual(['failed', 'failed']);
    expect(measured.observation.running.kind).toBe('failed');
    expect(measured.trouble).toContain('proxy proxy-0: scraped by several jobs');
    expectNear(watcher.arrivalsSeen().concat(PER_SECOND), PER_SECOND);
  });

  it('bounds as Prometheus 3 writes them are understood', async () => {
    await using system = await System.start();
    const relabel = [{ source_labels: ['le'], regex: '([0-9]+)', target_label: 'le', replacement: '$1.0' }];
    await using prometheus = await PrometheusServer.start(system.targets, { relabel });
    await using watcher = Watcher.ofPrometheus(prometheus.url, system.pods);
    const measured = await watcher.until('all is measured', isThere);
    expectNear(
      measured.observation.badShares.map(({ reading }) => numberIn(reading)),
      0.4,
      0.15,
    );
    expect(measured.boundMs).toBe(2_000);
  });

  it('scrapes that are far apart make windows longer, and say so', async () => {
    await using system = await System.start();
    await using prometheus = await PrometheusServer.start(system.targets, { scrapeIntervalMs: 2_000 });
    await using watcher = Watcher.ofPrometheus(prometheus.url, system.pods);
    const measured = await watcher.until('it is noticed', (each) => each.isTooCoarse && isThere(each));
    expect(measured.observation.arrivalRates.map(({ windowMs }) => windowMs)).toEqual([8_000, 10_000]);
    expectNear(watcher.arrivalsSeen(), PER_SECOND);
  });
});
