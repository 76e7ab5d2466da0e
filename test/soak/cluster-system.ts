/** How is a release in a cluster hurt and watched? By Kubernetes' API on any cluster; on the project's own also by its processes and network. */
import { NOT_OWN, type OwnNode, ownNode } from '../cluster/node/own-node.ts';
import { isReady, type Pod } from '../e2e/support/cluster.ts';
import { BATCHED, SystemUnderLoad } from '../e2e/support/system-under-load.ts';
import { waitFor } from '../e2e/support/wait-for.ts';
import { deletePod, fillScratch, jumpClock, takePrometheusAway } from './anywhere-faults.ts';
import { type FaultKind, victimOf } from './faults.ts';
import { losePackets, slowDown } from './network-faults.ts';
import { processOf } from './own-processes.ts';
import { MOST_PODS, PODS, SMALL_SCRATCH, VALUES } from './release-values.ts';
import { Released } from './released.ts';
import type { Begun, LeftOut, ProcessView, Replicas, System } from './system.ts';

const ONLY_OWN: readonly FaultKind[] = ['freeze-pod', 'slow-network', 'lossy-network', 'cut-network', 'no-api-server'];
const LOST_SHARE = 0.2;

type Undo = Begun['undo'];

export class ClusterSystem implements System {
  readonly what: string;
  readonly url: string;
  readonly impossible: ReadonlyMap<FaultKind, string>;
  readonly #system: SystemUnderLoad;
  readonly #released: Released;
  readonly #node: OwnNode | undefined;

  private constructor(system: SystemUnderLoad, urls: { readonly proxy: string; readonly admin: string }) {
    this.#system = system;
    this.#released = new Released(system, urls.admin);
    this.#node = ownNode();
    this.url = urls.proxy;
    const where = this.#node === undefined ? 'a cluster of somebody else' : "the project's own cluster";
    this.what = `the chart on ${where}: two proxies, ${PODS} to ${MOST_PODS} pods, two autoscalers, Prometheus`;
    const { notByAddress } = system;
    this.impossible = new Map([
      ...(this.#node === undefined ? ONLY_OWN.map((kind) => [kind, NOT_OWN] as const) : []),
      ...(notByAddress === undefined ? [] : [['kill-proxy', notByAddress] as const]),
    ]);
  }

  /** @throws Error with the state of the release, when it does not become ready */
  static async start(say: (line: string) => void): Promise<ClusterSystem> {
    say('installing');
    const system = await SystemUnderLoad.install('soak', VALUES);
    try {
      const patch = ['--type=strategic', `--patch=${JSON.stringify(SMALL_SCRATCH)}`];
      await system.kubectl('patch', 'deployment', BATCHED, ...patch);
      await system.release.ready();
      const { namespace } = system;
      const isEnough = async () => (await system.pods('batched')).filter(isReady).length >= PODS;
      await waitFor(`${PODS} pods are ready`, isEnough, { namespace });
      const [proxy, admin] = await Promise.all([system.release.proxyUrl(), system.release.adminUrl()]);
      const started = new ClusterSystem(system, { proxy, admin });
      await started.#released.refresh();
      return started;
    } catch (error) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
  }

  async begin(kind: FaultKind, draw: number): Promise<Begun | LeftOut> {
    switch (kind) {
      case 'kill-pod':
        return this.#ofPod(draw, (pod) => this.#kill(pod));
      case 'freeze-pod':
        return this.#ofProcess(draw, freeze);
      case 'slow-network':
        return this.#ofProcess(draw, (pid) => slowDown(pid, this.#proxyAddresses));
      case 'lossy-network':
        return this.#ofProcess(draw, (pid) => losePackets(pid, this.#proxyAddresses, LOST_SHARE));
      case 'cut-network':
        return this.#ofProcess(draw, (pid) => losePackets(pid, this.#proxyAddresses, 1));
      case 'full-disk':
        return this.#ofPod(draw, (pod) => fillScratch(pod, () => this.#released.isThere(pod)));
      case 'pod-clock':
        return this.#ofPod(draw, (pod) => jumpClock(pod, () => this.#released.isThere(pod)));
      case 'kill-proxy':
        return this.#ofProxy(draw, (pod) => this.#kill(pod));
      case 'proxy-clock':
        return this.#ofProxy(draw, (pod) => jumpClock(pod, () => this.#released.isThere(pod)));
      case 'kill-leader':
        return this.#ofLeader((pod) => this.#kill(pod));
      case 'autoscaler-clock':
        return this.#ofLeader((pod) => jumpClock(pod, () => this.#released.isThere(pod)));
      case 'no-prometheus':
        return { victim: 'Prometheus', ...undoing(await takePrometheusAway(this.#system.namespace)) };
      case 'no-api-server':
        return this.#takeApiServerAway(draw);
    }
  }

  async processes(): Promise<readonly ProcessView[]> {
    await this.#released.refresh();
    return this.#released.processes();
  }

  replicas(): Promise<Replicas> {
    return this.#released.replicas();
  }

  areProxiesReady(): Promise<boolean> {
    return this.#released.areProxiesReady();
  }

  async linesAbout(requestIds: ReadonlySet<string>): Promise<string[]> {
    const lines = await this.#released.logs(['proxy', 'pod']);
    return lines.filter((line) => [...requestIds].some((id) => line.includes(id)));
  }

  isWhole(): Promise<boolean> {
    return this.#released.isWhole();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#system[Symbol.asyncDispose]();
  }

  async #ofPod(draw: number, hurt: (pod: Pod) => Promise<Undo>): Promise<Begun | LeftOut> {
    await this.#released.refresh();
    const able = await this.#released.ablePods().catch(() => undefined);
    if (able === undefined) return { because: 'no proxy said which pods are able' };
    const victim = victimOf(able, draw);
    if (victim === undefined) return { because: 'fewer than two pods were able' };
    return { victim: victim.metadata.name, ...undoing(await hurt(victim)) };
  }

  #ofProcess(draw: number, hurt: (pid: number) => Promise<Undo>): Promise<Begun | LeftOut> {
    return this.#ofPod(draw, (pod) => hurt(pidOf(pod)));
  }

  async #ofProxy(draw: number, hurt: (pod: Pod) => Promise<Undo>): Promise<Begun | LeftOut> {
    await this.#released.refresh();
    const victim = victimOf(this.#released.readyProxies(), draw);
    if (victim === undefined) return { because: 'fewer than two proxies were ready' };
    return { victim: victim.metadata.name, ...undoing(await hurt(victim)) };
  }

  async #ofLeader(hurt: (pod: Pod) => Promise<Undo>): Promise<Begun | LeftOut> {
    await this.#released.refresh();
    const { leader } = this.#released;
    if (leader === undefined) return { because: 'no autoscaler decided' };
    return { victim: leader.metadata.name, ...undoing(await hurt(leader)) };
  }

  get #own(): OwnNode {
    if (this.#node === undefined) throw new Error(NOT_OWN);
    return this.#node;
  }

  get #proxyAddresses(): string[] {
    return this.#released.podsOf('proxy').flatMap(({ status }) => status.podIP ?? []);
  }

  async #kill(pod: Pod): Promise<undefined> {
    if (this.#node === undefined) await deletePod(pod);
    else process.kill(pidOf(pod), 'SIGKILL');
  }

  /** As often dead as it is frozen, which is worse: connections stay, and nothing is answered. */
  async #takeApiServerAway(draw: number): Promise<Begun> {
    const node = this.#own;
    if (draw < 0.5) {
      node.freezeApiServer();
      return { victim: 'the API server, frozen', undo: async () => node.thawApiServer() };
    }
    await node.killApiServer();
    return { victim: 'the API server, killed', undo: () => node.restartApiServer() };
  }
}

/** @throws Error when it has ended since the pod was looked at */
function pidOf(pod: Pod): number {
  const pid = processOf(pod);
  if (pid === undefined) throw new Error(`${pod.metadata.name} has no process`);
  return pid;
}

async function freeze(pid: number): Promise<Undo> {
  process.kill(pid, 'SIGSTOP');
  return async () => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch (error) {
      // Ended meanwhile: Kubernetes had no more patience, or the autoscaler wanted fewer.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
}

function undoing(undo: Undo): { undo: NonNullable<Undo> } | object {
  return undo === undefined ? {} : { undo };
}
