/** What is the whole autoscaler tested in? A real API server, Prometheus, proxy and autoscalers as processes, and pods as the test chooses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import { missingPrograms, PrometheusServer, type ScrapeTarget } from '../../../test/support/prometheus.ts';
import { type ProxyProcess, startProcess } from '../../proxy/test/proxy-process.ts';
import { leaseRules, TARGET_RULES } from '../src/kubernetes/rules.ts';
import type { Status } from '../src/kubernetes/status.ts';
import { AutoscalerProcess } from './autoscaler-process.ts';
import { defineLatencyAutoscaler, GROUP, Room } from './cluster-fixture.ts';
import { specWith } from './specs.ts';
import { AuditLog } from './whole-audit.ts';
import { Kubelet, type RunningPod } from './whole-kubelet.ts';
import { Load } from './whole-load.ts';

export const LEASE = 'ragscale-autoscaler';
const NAMESPACE = 'rag';
/** For whatever happens by and by, on a machine that has other things to do as well; the test waits a little longer. */
export const WITHIN = { timeout: 110_000, interval: 100 };
export const TEST_TIMEOUT_MS = 240_000;

/** Preloaded: the process believes that it is an hour later. */
export const AN_HOUR_AHEAD = { NODE_OPTIONS: `--import=${new URL('./whole-hour-ahead.ts', import.meta.url).href}` };

const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'))?.address;

/** In words for the name of a test that is skipped; undefined when all is there. */
export function missingForWorld(): string | undefined {
  if (missingPrograms.length > 0) return `${missingPrograms.join(' and ')} not installed`;
  if (ownAddress === undefined) return 'this machine has no IPv4 address but that of loopback';
  return missingForControlPlane();
}

export interface WorldOptions {
  /** Each a Deployment, a Service and a route, by its name: what starts a pod of it. */
  readonly programs: Readonly<Record<string, () => Promise<RunningPod>>>;
  /** What is scraped besides the proxy and the pods. */
  readonly scraped?: readonly ScrapeTarget[];
}

/** Of the proxy, and of whoever does not say otherwise. */
export const OBJECTIVE = '1s';
export const WINDOW_MS = 10_000;
/** Between two decisions. */
export const PERIOD_MS = 1_000;

/** With windows that no test would wait too long for. @param name of the Deployment, and of the route */
export function quickSpec(name: string, other: object = {}): Record<string, unknown> {
  return specWith({
    scaleTargetRef: { name },
    maxReplicas: 12,
    objective: { latency: OBJECTIVE },
    windows: ['5s', '10s'],
    behavior: { scaleDown: { stabilizationWindowSeconds: WINDOW_MS / 1_000 } },
    ...other,
  });
}

type Log = AutoscalerProcess['lines'];

export class World implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly room: Room;
  readonly prometheus: PrometheusServer;
  readonly kubelet: Kubelet;
  readonly audit: AuditLog;
  /** Where there are no routes, there is none. */
  readonly #proxy: ProxyProcess | undefined;
  readonly #started: AsyncDisposableStack;
  readonly #autoscalers: AutoscalerProcess[] = [];
  readonly #accounts = new Set<string>();

  private constructor(
    parts: Pick<World, 'plane' | 'room' | 'prometheus' | 'kubelet' | 'audit'>,
    proxy: ProxyProcess | undefined,
    started: AsyncDisposableStack,
  ) {
    this.plane = parts.plane;
    this.room = parts.room;
    this.prometheus = parts.prometheus;
    this.kubelet = parts.kubelet;
    this.audit = parts.audit;
    this.#proxy = proxy;
    this.#started = started;
  }

  static async start({ programs, scraped = [] }: WorldOptions): Promise<World> {
    await using started = new AsyncDisposableStack();
    const audit = started.use(new AuditLog());
    const plane = await startControlPlane({ apiServerFlags: audit.flags });
    started.defer(() => plane.stop());
    await defineLatencyAutoscaler(plane);
    const room = new Room(plane, NAMESPACE);
    await plane.createNamespace(NAMESPACE);
    const free = { metadata: { name: LEASE }, spec: { holderIdentity: '' } };
    await room.create('/apis/coordination.k8s.io/v1', 'leases', free);
    const proxy = await startProxy(plane, Object.keys(programs), started);
    const known = proxy === undefined ? scraped : [...scraped, scrapedProxy(proxy)];
    const prometheus = started.use(await PrometheusServer.start(known));
    const onScraped = (pods: readonly ScrapeTarget[]) => prometheus.setTargets([...known, ...pods]);
    const kubelet = started.use(new Kubelet({ room, address: ownAddress ?? '', programs, onScraped }));
    return new World({ plane, room, prometheus, kubelet, audit }, proxy, started.move());
  }

  /** With a ServiceAccount of its own that has the rights it is documented to need, and no others. */
  async autoscaler(podName: string, env: Record<string, string> = {}): Promise<AutoscalerProcess> {
    if (!this.#accounts.has(podName)) {
      await this.plane.createServiceAccount(NAMESPACE, podName);
      await this.plane.grant(NAMESPACE, podName, [...TARGET_RULES, ...leaseRules(LEASE)]);
      this.#accounts.add(podName);
    }
    const config = this.plane.config(await this.plane.serviceAccountToken(NAMESPACE, podName), NAMESPACE);
    const autoscaler = new AutoscalerProcess(config, {
      POD_NAME: podName,
      PROMETHEUS_URL: this.prometheus.url,
      ...env,
    });
    this.#autoscalers.push(autoscaler);
    return autoscaler;
  }

  load(route: string): Load {
    if (this.#proxy === undefined) throw new Error('there is no proxy');
    return new Load(this.#proxy.url, route);
  }

  async status(name: string): Promise<Status> {
    return (await this.room.get<{ status?: Status }>(GROUP, `latencyautoscalers/${name}`)).status ?? {};
  }

  /** Resolves with the number of replicas that is asked for as soon as it is one of these. */
  replicasUntil(name: string, holds: (replicas: number) => boolean, why: string): Promise<number> {
    return vi.waitFor(async () => {
      const replicas = await this.room.replicas(name);
      if (holds(replicas)) return replicas;
      throw new Error(`${why}: still ${replicas} replicas; ${this.#lastWords()}`);
    }, WITHIN);
  }

  #lastWords(): string {
    const lines = this.#autoscalers.flatMap((autoscaler) =>
      autoscaler.lines.slice(-6).map((line) => `${line.time} ${line.msg}`),
    );
    return [...lines, String(this.kubelet.trouble ?? '')].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const autoscaler of this.#autoscalers) await autoscaler[Symbol.asyncDispose]();
    await this.#started.disposeAsync();
  }
}

/** One that finds its pods as in a cluster, with the rights for it and no others. */
async function startProxy(
  plane: ControlPlane,
  routes: readonly string[],
  started: AsyncDisposableStack,
): Promise<ProxyProcess | undefined> {
  if (routes.length === 0) return undefined;
  await plane.createServiceAccount(NAMESPACE, 'proxy');
  await plane.grant(NAMESPACE, 'proxy', [
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ]);
  const config = plane.config(await plane.serviceAccountToken(NAMESPACE, 'proxy'), NAMESPACE);
  const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-world-'));
  started.defer(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'proxy.kubeconfig');
  writeFileSync(file, config.exportConfig(), { mode: 0o600 });
  const proxy = await startProcess({
    BACKENDS: routes.map((name) => `${name}=k8s://${NAMESPACE}/${name}:http`).join(';'),
    KUBECONFIG: file,
    OBJECTIVE,
    ACCESS_LOG_PERCENT: '0',
    PROBE_INTERVAL_MS: '300',
    SLOW_START_MS: '0',
  });
  return started.use(proxy);
}

function scrapedProxy({ adminUrl }: ProxyProcess): ScrapeTarget {
  return { address: new URL(adminUrl).host, labels: { namespace: NAMESPACE, pod: 'proxy-0' } };
}

/** Decisions that changed the number of replicas of a target, as the log tells of them. */
export interface Change {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** @param lines of an autoscaler's log */
export function changesIn(lines: Log, name: string): Change[] {
  return lines
    .filter((line) => line.scaled === true && line.name === name)
    .map(({ time, from, to, reason }) => ({
      at: Date.parse(String(time)),
      from: Number(from),
      to: Number(to),
      reason: String(reason),
    }));
}

/** The reasons of decisions in their order, each as often as it became another. */
export function reasonsIn(lines: Log, name: string): { readonly at: number; readonly reason: string }[] {
  return lines
    .filter((line) => typeof line.recommended === 'number' && line.name === name)
    .map(({ time, reason }) => ({ at: Date.parse(String(time)), reason: String(reason) }));
}
