/** What can a test do to the project's own cluster that it could do to no other? Its API server, its processes, its network. */
import { processesOfContainer } from './cgroups.ts';
import { componentProcess, startComponent, stopComponent } from './component-processes.ts';
import { apiServer } from './components.ts';
import { type Layout, ownLayout } from './layout.ts';
import { runIn, runInNetworkOf } from './namespaces.ts';
import { apiServerReady, coreApi } from './readiness.ts';
import { isUp } from './up.ts';

/** For the name of a test that is skipped elsewhere. */
export const NOT_OWN = 'KUBECONFIG is not that of npm run cluster:up';

/** Undefined when `KUBECONFIG` is not that of a cluster of `npm run cluster:up`. */
export function ownNode(): OwnNode | undefined {
  const layout = process.env.KUBECONFIG ? ownLayout() : undefined;
  return layout && isUp(layout) ? new OwnNode(layout) : undefined;
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
  /** The first one of the pod unless given. */
  readonly container?: string;
}

export class OwnNode {
  readonly #layout: Layout;
  readonly #apiServer;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#apiServer = apiServer(layout);
  }

  /** Of the one node. */
  get name(): string {
    return this.#layout.name;
  }

  /** At which this machine reaches the node; it reaches pods and Services at theirs. */
  get address(): string {
    return this.#layout.nodeAddress;
  }

  /** Ends it as an upgrade would, unless it is away already, and starts it again. Resolves when it is ready. */
  async restartApiServer(): Promise<void> {
    await stopComponent(this.#apiServer, 'SIGTERM');
    await startComponent(this.#layout, this.#apiServer);
    await apiServerReady(this.#layout);
  }

  /** It dies as a machine does: no connection is closed in order. It is away until `restartApiServer`. */
  async killApiServer(): Promise<void> {
    this.#signalApiServer('SIGKILL');
    await stopComponent(this.#apiServer, 'SIGKILL');
  }

  /** Every connection stays open and nothing is answered, until `thawApiServer`. */
  freezeApiServer(): void {
    this.#signalApiServer('SIGSTOP');
  }

  thawApiServer(): void {
    this.#signalApiServer('SIGCONT');
  }

  /**
   * On this machine, for `process.kill`; the first process of the container is first. Empty when it has ended. While the API server is away:
   * ask before.
   */
  async processesOf(pod: PodName): Promise<number[]> {
    const { name, namespace, container } = pod;
    const { status } = await coreApi(this.#layout.kubeconfig).readNamespacedPod({ name, namespace });
    const statuses = status?.containerStatuses ?? [];
    const found = container === undefined ? statuses[0] : statuses.find((one) => one.name === container);
    const id = found?.containerID?.replace(/^containerd:\/\//, '');
    return id ? processesOfContainer(id) : [];
  }

  /**
   * In the network of the node, such as iptables: what pods say to each other passes FORWARD.
   * @returns what it wrote
   * @throws Error with what it wrote to standard error
   */
  runInNodeNetwork(command: readonly [string, ...string[]]): string {
    return runIn(this.#layout, command);
  }

  /** The same in the network of a pod, with the programs of this machine. */
  async runInPodNetwork(pod: PodName, command: readonly [string, ...string[]]): Promise<string> {
    const [pid] = await this.processesOf(pod);
    if (pid === undefined) throw new Error(`${pod.namespace}/${pod.name} has no process`);
    return runInNetworkOf(pid, command);
  }

  #signalApiServer(signal: NodeJS.Signals): void {
    const pid = componentProcess(this.#apiServer);
    if (pid === undefined) throw new Error('the API server does not run');
    process.kill(pid, signal);
  }
}
