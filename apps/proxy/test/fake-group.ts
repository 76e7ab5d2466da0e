/** Pods of a route without a network: their probes are what the test says. */
import { createPolicy } from '@ragscale/balancing/create-policy';
import { DEFAULT_HEALTH_SETTINGS } from '@ragscale/balancing/health';
import { Attempt } from '../src/attempt.ts';
import { foundEndpoint } from '../src/discovery/found-endpoints.ts';
import type { Endpoint } from '../src/endpoint.ts';
import { EndpointGroup } from '../src/endpoint-group.ts';

export interface FakeGroup {
  readonly group: EndpointGroup;
  readonly added: string[];
  readonly removed: string[];
}

export function fakeGroup({ concurrency = 1, failOpenBelow = 0.5 } = {}): FakeGroup {
  const added: string[] = [];
  const removed: string[] = [];
  const group = new EndpointGroup({
    policy: createPolicy('round-robin'),
    settings: {
      health: { ...DEFAULT_HEALTH_SETTINGS, failedRequests: 1, failedProbes: 1 },
      slowStartMs: 0,
      connectTimeoutMs: 1_000,
      streamIdleTimeoutMs: 0,
      concurrency,
      proxies: () => 1,
    },
    failOpenBelow,
    random: () => 0,
    onAdded: ({ id }) => added.push(id),
    onRemoved: ({ id }) => removed.push(id),
  });
  return { group, added, removed };
}

/** @param names of pods, which all have just been found ready */
export function addReady(group: EndpointGroup, names: readonly string[], now: number): Endpoint[] {
  group.update(names.map((name) => foundEndpoint(name, 8_000)));
  for (const { health } of group.endpoints) health.probed('ready', now);
  group.refresh(now);
  return [...group.endpoints];
}

const NOBODY = {
  onHead: () => undefined,
  onData: () => undefined,
  onEnd: () => undefined,
  onFailure: () => undefined,
  onSilence: () => undefined,
  onOverdue: () => undefined,
};

/** A request that is with the pod until it is released. */
export function occupy(endpoint: Endpoint, now: number): Attempt {
  return new Attempt(endpoint, NOBODY, now);
}
