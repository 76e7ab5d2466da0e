/** Which process is a pod's on this machine, and which network is that in? Known without Kubernetes' API, which may be what is gone. */
import { readlinkSync } from 'node:fs';
import { processesOfContainer } from '../cluster/node/cgroups.ts';
import { processes, runInNetworkOf } from '../cluster/node/namespaces.ts';
import type { Pod } from '../e2e/support/cluster.ts';

/** @param pod as it was seen last @returns undefined when its container has ended since */
export function processOf(pod: Pod): number | undefined {
  const [status] = (pod.status.containerStatuses ?? []) as readonly { readonly containerID?: string }[];
  const id = status?.containerID?.replace(/^containerd:\/\//, '');
  return id ? processesOfContainer(id)[0] : undefined;
}

/** As Linux names it: a pod's stays the same when its container starts anew. @throws Error when the process has ended */
export function networkOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

/** @returns false when that network is gone, with its pod @throws Error with what the command wrote to standard error */
export function runInNetwork(network: string, command: readonly [string, ...string[]]): boolean {
  const pid = processes().find((pid) => isIn(network, pid));
  if (pid === undefined) return false;
  runInNetworkOf(pid, command);
  return true;
}

function isIn(network: string, pid: number): boolean {
  try {
    return networkOf(pid) === network;
  } catch {
    // It has just ended.
    return false;
  }
}
