/** Which names, addresses and files does a cluster have? All follow from its name: two clusters share none, and a broken one is found again. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';

const DEFAULT_NAME = 'ragscale';
const NAME = /^[a-z][a-z0-9-]{0,30}$/;

export interface Layout {
  /** Also that of its one node. */
  readonly name: string;
  /** The two ends of the link between this machine and the node, and the network that they make. */
  readonly hostLink: string;
  readonly nodeLink: string;
  readonly hostAddress: string;
  readonly nodeAddress: string;
  readonly podRange: string;
  readonly serviceRange: string;
  /** The first of the range, that of the Service `kubernetes`. */
  readonly kubernetesAddress: string;
  readonly apiServer: string;
  /** Above those of the pods, in each hierarchy of cgroups. */
  readonly cgroup: string;
  /** Gone after `cluster:down`. */
  readonly folder: string;
  readonly kubeconfig: string;
  readonly containerdSocket: string;
}

/** Archives of images and what else outlives a cluster. */
export const CACHE = path.join(
  process.env.RAGSCALE_CACHE || path.join(process.env.HOME || homedir(), '.cache/ragscale'),
  'cluster',
);

/**
 * @param name the one that `CLUSTER_NAME` says unless given; `ragscale` where that is not set
 * @throws Error when a cluster cannot have such a name
 */
export function layoutOf(name = process.env.CLUSTER_NAME || DEFAULT_NAME): Layout {
  if (!NAME.test(name))
    throw new Error(`CLUSTER_NAME '${name}': letters, digits and dashes, a letter first, 31 at most`);
  const number = numberOf(name);
  const folder = path.join(CACHE, name === DEFAULT_NAME ? 'run' : `run-${name}`);
  const nodeAddress = `10.200.${number}.1`;
  return {
    name,
    // An interface's name has 15 characters at most.
    hostLink: `rs${number}-host`,
    nodeLink: `rs${number}-node`,
    hostAddress: `10.200.${number}.2`,
    nodeAddress,
    podRange: `10.244.${number}.0/24`,
    serviceRange: `10.96.${number}.0/24`,
    kubernetesAddress: `10.96.${number}.1`,
    apiServer: `https://${nodeAddress}:6443`,
    cgroup: `ragscale-cluster-${name}`,
    folder,
    kubeconfig: path.join(folder, 'admin.kubeconfig'),
    containerdSocket: path.join(folder, 'containerd.sock'),
  };
}

/** The cluster of this name if `KUBECONFIG` is its own or not set; undefined if it is that of another one. */
export function ownLayout(): Layout | undefined {
  const layout = layoutOf();
  const { KUBECONFIG } = process.env;
  return !KUBECONFIG || path.resolve(KUBECONFIG) === layout.kubeconfig ? layout : undefined;
}

export function inFolder(layout: Layout, ...names: readonly string[]): string {
  return path.join(layout.folder, ...names);
}

/** 0 to 255. Two names can have the same number: the second cluster then finds its link taken and says so. */
function numberOf(name: string): number {
  if (name === DEFAULT_NAME) return 0;
  return 1 + (createHash('sha256').update(name).digest().readUInt16BE(0) % 255);
}
