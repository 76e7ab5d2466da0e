/**
 * Who makes pods of what a Deployment asks for? The controllers and the kubelet of a cluster, as far as they matter here: pods that are
 * processes, their objects and status, EndpointSlices for the proxies, and the list of what is scraped.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ScrapeTarget } from '../../../test/support/prometheus.ts';
import type { Room } from './cluster-fixture.ts';

/** What a pod is. */
export interface RunningPod {
  readonly port: number;
  /** Resolves when it has ended, after what it works on. */
  stop(): Promise<void>;
}

export interface KubeletOptions {
  readonly room: Room;
  /** Of this machine, and not a loopback one: the API server refuses those in EndpointSlices. */
  readonly address: string;
  /** What starts a pod of each Deployment; resolves when it is ready. */
  readonly programs: Readonly<Record<string, () => Promise<RunningPod>>>;
  onScraped(targets: readonly ScrapeTarget[]): Promise<void>;
}

interface Pod {
  readonly name: string;
  readonly app: string;
  readonly starting: Promise<RunningPod>;
  running: RunningPod | undefined;
  /** What the API server knows of it. */
  told: 'nothing' | 'starting' | 'ready';
  ending: boolean;
}

const LOOK_EVERY_MS = 200;
const CORE = '/api/v1';
const SLICES = '/apis/discovery.k8s.io/v1';

export class Kubelet implements AsyncDisposable {
  /** Why it could not do its work last; it tries again for ever. */
  trouble: unknown;
  readonly #options: KubeletOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #pods: Pod[] = [];
  #made = 0;
  /** By Deployment, as it was written last. */
  readonly #status = new Map<string, string>();
  #scraped = '';
  readonly #ends: Promise<void>[] = [];

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** That answer. */
  ready(app: string): number {
    return this.#of(app).filter(({ told, ending }) => told === 'ready' && !ending).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#pods.map(async ({ starting }) => (await starting).stop()));
    await Promise.all(this.#ends);
  }

  #of(app: string): Pod[] {
    return this.#pods.filter((pod) => pod.app === app);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const app of Object.keys(this.#options.programs)) {
        // The API server may be dead, or the Deployment not be there yet.
        await this.#reconcile(app).catch((error: unknown) => {
          this.trouble = error;
        });
      }
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #reconcile(app: string): Promise<void> {
    const { room } = this.#options;
    const wanted = await room.replicas(app);
    for (let alive = this.#alive(app).length; alive < wanted; alive++) this.#start(app);
    for (const pod of this.#alive(app).slice(wanted)) pod.ending = true;
    for (const pod of this.#of(app)) await (pod.ending ? this.#end(pod) : this.#tell(pod));
    await this.#tellScraped();
    await this.#tellStatus(app);
  }

  #alive(app: string): Pod[] {
    return this.#of(app).filter(({ ending }) => !ending);
  }

  #start(app: string): void {
    const starting = this.#options.programs[app]!();
    const name = `${app}-${++this.#made}`;
    const pod: Pod = { name, app, starting, running: undefined, told: 'nothing', ending: false };
    this.#pods.push(pod);
    starting.then(
      (running) => {
        pod.running = running;
      },
      (error: unknown) => {
        this.trouble = error;
      },
    );
  }

  async #tell(pod: Pod): Promise<void> {
    const { room } = this.#options;
    if (pod.told === 'nothing') {
      await unless(409, room.pod(pod.name, pod.app, readiness(false)));
      pod.told = 'starting';
    }
    if (pod.told === 'starting' && pod.running !== undefined) {
      await unless(409, room.create(SLICES, 'endpointslices', this.#slice(pod, pod.running.port)));
      await room.podStatus(pod.name, readiness(true));
      pod.told = 'ready';
    }
  }

  /** The proxies hear of it, then it ends. */
  async #end(pod: Pod): Promise<void> {
    const { room } = this.#options;
    if (pod.told !== 'nothing') {
      await unless(404, room.delete(SLICES, `endpointslices/${pod.name}`));
      await unless(404, room.delete(CORE, `pods/${pod.name}`));
    }
    this.#pods = this.#pods.filter((other) => other !== pod);
    this.#ends.push(pod.starting.then((running) => running.stop()));
  }

  async #tellScraped(): Promise<void> {
    const { room, onScraped } = this.#options;
    const targets = this.#pods.flatMap(({ name, running, told }) =>
      running === undefined || told !== 'ready'
        ? []
        : [{ address: `127.0.0.1:${running.port}`, labels: { namespace: room.namespace, pod: name } }],
    );
    if (JSON.stringify(targets) === this.#scraped) return;
    await onScraped(targets);
    this.#scraped = JSON.stringify(targets);
  }

  async #tellStatus(app: string): Promise<void> {
    const replicas = this.#alive(app).length;
    const status = { replicas, readyReplicas: this.ready(app) };
    if (JSON.stringify(status) === this.#status.get(app)) return;
    await this.#options.room.patch('/apis/apps/v1', `deployments/${app}/status`, { status });
    this.#status.set(app, JSON.stringify(status));
  }

  /** Of one pod alone: each has a port of its own here. */
  #slice({ name, app }: Pod, port: number): object {
    return {
      metadata: { name, labels: { 'kubernetes.io/service-name': app } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: [this.#options.address],
          conditions: { ready: true, serving: true, terminating: false },
          targetRef: { kind: 'Pod', name, uid: name },
        },
      ],
    };
  }
}

function readiness(isReady: boolean): object {
  return { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] };
}

/** Done before, though the answer was lost. */
async function unless(status: number, doing: Promise<void>): Promise<void> {
  await doing.catch((error: unknown) => {
    if (!(error instanceof Error && error.message.includes(`: ${status} `))) throw error;
  });
}
