/** How many requests may one of several proxies have with one pod? */

/** Where the pod announces no slots: it bounds the harm of a pod that hangs, and is above what a batched server runs at once. */
const DEFAULT_CAP = 128;

export interface CapFacts {
  /** Wins over everything. */
  readonly configured: number | undefined;
  /** What the pod announces that it serves at once. */
  readonly slots: number | undefined;
  /** Those that send to the pod, this one included. */
  readonly proxies: number;
}

/**
 * The fair share of the slots and one more, which waits in the pod: else a slot would be idle for a round trip after each answer, or
 * for longer where another proxy does not use its share.
 */
export function capOf({ configured, slots, proxies }: CapFacts): number {
  if (configured !== undefined) return configured;
  if (slots === undefined) return DEFAULT_CAP;
  return Math.ceil(slots / Math.max(1, proxies)) + 1;
}
