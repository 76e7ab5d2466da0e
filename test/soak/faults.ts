/** What is done to the system while it is under load, to which part, for how long, and what must not happen at the same time? */

/** Who is hit: one pod, one proxy, or what the autoscaler lives on. One fault of a part at a time, so that the others can serve. */
export const PARTS = ['pods', 'proxies', 'control'] as const;
export type Part = (typeof PARTS)[number];

export interface Fault {
  readonly part: Part;
  /** Shortest and longest, in seconds; of what dies, how long it is given to come back. */
  readonly seconds: readonly [number, number];
  /** `needed`: it is done or undone through Kubernetes' API; `gone`: the API is what is taken away. */
  readonly api?: 'needed' | 'gone';
  readonly what: string;
}

export const FAULTS = {
  'kill-pod': { part: 'pods', seconds: [10, 20], what: "a pod's process is killed in the middle of its work" },
  'freeze-pod': { part: 'pods', seconds: [3, 15], what: "a pod's process stops, and goes on later" },
  'slow-network': { part: 'pods', seconds: [5, 30], what: 'a pod answers each proxy with a delay on the way' },
  'lossy-network': { part: 'pods', seconds: [5, 30], what: 'of the packets between proxies and a pod some are lost' },
  'cut-network': { part: 'pods', seconds: [5, 20], what: 'no packet comes through between proxies and a pod' },
  'full-disk': { part: 'pods', seconds: [5, 30], api: 'needed', what: "a pod's scratch volume is full" },
  'pod-clock': { part: 'pods', seconds: [5, 30], api: 'needed', what: "a pod's clock jumps by an hour, and back" },
  // Only through the API does a Service forget a proxy that is dead.
  'kill-proxy': {
    part: 'proxies',
    seconds: [10, 20],
    api: 'needed',
    what: "a proxy's process is killed; its clients ask again",
  },
  'proxy-clock': {
    part: 'proxies',
    seconds: [5, 30],
    api: 'needed',
    what: "a proxy's clock jumps by an hour, and back",
  },
  'no-api-server': { part: 'control', seconds: [5, 30], api: 'gone', what: "Kubernetes' API server is gone" },
  'no-prometheus': { part: 'control', seconds: [10, 40], api: 'needed', what: 'Prometheus is gone, with its data' },
  'kill-leader': { part: 'control', seconds: [10, 20], api: 'needed', what: 'the autoscaler that decides is killed' },
  'autoscaler-clock': {
    part: 'control',
    seconds: [5, 30],
    api: 'needed',
    what: "the autoscaler's clock jumps by an hour, and back",
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

export function faultOf(kind: FaultKind): Fault {
  return FAULTS[kind];
}

/** Whether the two can be there at once; what is of one part never is. */
export function goTogether(one: FaultKind, other: FaultKind): boolean {
  const [a, b] = [faultOf(one), faultOf(other)];
  if (a.part === b.part) return false;
  // Nobody could undo what is undone through the API.
  return !(a.api !== undefined && b.api !== undefined && [a.api, b.api].includes('gone'));
}

/** @param able those that could be hit, in a lasting order @returns undefined where its loss would leave nobody to serve */
export function victimOf<Candidate>(able: readonly Candidate[], draw: number): Candidate | undefined {
  return able.length < 2 ? undefined : able[Math.floor(draw * able.length)];
}
