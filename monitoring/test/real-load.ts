/** Two real pods behind a real proxy, an autoscaler that watches them through a real Prometheus, and load that brings out every number. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AutoscalerMetrics } from '@ragscale/service/autoscaler-metrics';
import { realClock } from '@ragscale/service/clock';
import pino from 'pino';
import { ControlLoop } from '../../apps/autoscaler/src/control-loop.ts';
import { type Fleet, FleetError, type FleetState } from '../../apps/autoscaler/src/fleet.ts';
import { ALONE } from '../../apps/autoscaler/src/leadership.ts';
import { PrometheusMeasurements } from '../../apps/autoscaler/src/measuring/prometheus-measurements.ts';
import { MetricsReporter } from '../../apps/autoscaler/src/metrics-reporter.ts';
import type { Target } from '../../apps/autoscaler/src/target.ts';
import { MetricsServer } from '../../apps/autoscaler/test/metrics-server.ts';
import { type ProxyFixture, startProxy } from '../../apps/proxy/test/proxy-fixture.ts';
import { type PodProcess, startProcess } from '../../test/support/pod-process.ts';
import { PrometheusServer } from '../../test/support/prometheus.ts';

const NAMESPACE = 'rag';
const ROUTE = 'batched';
const PERIOD_MS = 1_000;
const QUESTION = { query: 'Which animals can hover in the air?' };
/** Small, so that little load is much. */
const POD_ENV = {
  VARIANT: 'batched',
  SLOTS: '2',
  MAX_QUEUED_REQUESTS: '2',
  OBJECTIVE: '2s',
  DOCUMENTS_CHECK_MS: '200',
};
const DOCUMENT = 'Hummingbirds can hover in mid-air by rapidly flapping their wings.';
const PROXY_ENV = { OBJECTIVE: '2s', MAX_QUEUED_REQUESTS: '8', EJECTION_FAILURES: '1', PROBE_INTERVAL_MS: '2000' };

const TARGET: Target = {
  id: `${NAMESPACE}/${ROUTE}`,
  namespace: NAMESPACE,
  name: ROUTE,
  generation: 1,
  route: ROUTE,
  policy: {
    minReplicas: 1,
    maxReplicas: 6,
    objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
    windowsMs: [5_000, 10_000],
  },
};

/** Remembers what it was told; pods that it was told to add never come. */
class RememberedFleet implements Fleet {
  readonly ready = new Set<string>();
  isForbidden = false;
  #spec = 0;
  #askedAt = 0;

  start(pods: readonly string[]): void {
    for (const pod of pods) this.ready.add(pod);
    this.#spec = pods.length;
  }

  async look(): Promise<FleetState> {
    if (this.isForbidden) throw new FleetError({ reason: 'Forbidden', message: 'for a test' });
    const missing = Math.max(0, this.#spec - this.ready.size);
    const startingAgesMs = Array<number>(missing).fill(performance.now() - this.#askedAt);
    return { replicas: { spec: this.#spec, ready: this.ready.size, startingAgesMs }, readyPods: [...this.ready] };
  }

  async scale(_target: Target, _from: number, to: number): Promise<void> {
    this.#spec = to;
    this.#askedAt = performance.now();
  }
}

export class RealLoad implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #fleet = new RememberedFleet();
  #pods: readonly [PodProcess, PodProcess] | undefined;
  #proxy: ProxyFixture | undefined;
  #prometheus: PrometheusServer | undefined;
  #documents = '';

  get prometheusUrl(): string {
    return this.#prometheus!.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async start(): Promise<void> {
    this.#documents = await mkdtemp(path.join(tmpdir(), 'ragscale-load-'));
    this.#stack.defer(() => rm(this.#documents, { recursive: true }));
    await writeFile(path.join(this.#documents, 'birds.md'), DOCUMENT);
    const env = { ...POD_ENV, DOCUMENTS: this.#documents };
    const pods = await Promise.all([startProcess({ env }), startProcess({ env })]);
    for (const pod of pods) this.#stack.defer(async () => void (await pod.stop()));
    const backends = `${ROUTE}=${pods.map(({ url }) => url).join(',')}`;
    const proxy = this.#stack.use(await startProxy([], { ...PROXY_ENV, BACKENDS: backends }));
    const metrics = new AutoscalerMetrics();
    const autoscaler = this.#stack.use(await MetricsServer.start(() => metrics));
    const labelled = (address: string, pod: string) => ({ address, labels: { namespace: NAMESPACE, pod } });
    this.#prometheus = this.#stack.use(
      await PrometheusServer.start([
        labelled(new URL(proxy.adminUrl).host, 'proxy-0'),
        ...pods.map(({ port }, index) => labelled(`127.0.0.1:${port}`, `rag-${index}`)),
        labelled(autoscaler.address, 'autoscaler-0'),
      ]),
    );
    this.#pods = pods;
    this.#proxy = proxy;
    this.#fleet.start(['rag-0', 'rag-1']);
    this.#decide(metrics);
  }

  /** Some load; more than can be borne, and clients that go; documents that break; a pod that is killed; a cluster that refuses the autoscaler. */
  async run(): Promise<void> {
    const [, killed] = this.#pods!;
    await this.#ask(15_000, 4);
    await Promise.all([this.#ask(10_000, 30), this.#crowdOnto(this.#pods![0], 10_000)]);
    await writeFile(path.join(this.#documents, 'birds.md'), Buffer.of(0));
    this.#fleet.isForbidden = true;
    const asking = this.#ask(8_000, 6);
    await sleep(1_000);
    killed.child.kill('SIGKILL');
    this.#fleet.ready.delete('rag-1');
    await sleep(3_000);
    this.#fleet.isForbidden = false;
    await asking;
  }

  #decide(metrics: AutoscalerMetrics): void {
    const measurements = new PrometheusMeasurements({ url: this.prometheusUrl, timeoutMs: 3_000, clock: realClock });
    this.#stack.defer(() => measurements.close());
    const loop = new ControlLoop({
      fleet: this.#fleet,
      measurements,
      reporter: new MetricsReporter(metrics),
      leadership: ALONE,
      clock: realClock,
      periodMs: PERIOD_MS,
      logger: pino({ level: 'silent' }),
      onRound: (durationMs) => metrics.roundEnded(durationMs),
    });
    this.#stack.defer(() => loop.stop());
    metrics.observeLeader({ namespace: NAMESPACE, name: 'ragscale-autoscaler' }, () => true);
    loop.setTargets([TARGET]);
    loop.start();
  }

  /** So many clients, each asking again when it has its answer, whatever that is. */
  async #ask(ms: number, clients: number): Promise<void> {
    const until = performance.now() + ms;
    const client = async (number: number) => {
      for (let index = 0; performance.now() < until; index++) {
        const response = await this.#proxy!.post({ ...QUESTION, stream: (number + index) % 3 === 0 });
        await response.text();
        await sleep(20);
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  }

  /** Past the proxy, which would spare it. */
  async #crowdOnto(pod: PodProcess, ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => pod.post(QUESTION)));
      await Promise.all(answers.map((answer) => answer.text()));
    }
  }
}
