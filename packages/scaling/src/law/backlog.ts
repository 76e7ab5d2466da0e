/** What queue will stand when a pod that is asked for now becomes ready? */

export interface Supply {
  readonly ready: number;
  /** Milliseconds from now at which those that start are expected to be ready. */
  readonly readyInMs: readonly number[];
}

/**
 * The queue as a fluid: it grows by what arrives and shrinks by what the pods finish, those included that become ready on the way.
 * @param drainRate requests per millisecond that one replica finishes at full work
 * @param arrivals requests per millisecond
 * @returns requests that wait `horizonMs` from now
 */
export function queueAfter(
  waiting: number,
  arrivals: number,
  drainRate: number,
  supply: Supply,
  horizonMs: number,
): number {
  const times = supply.readyInMs.filter((ms) => ms < horizonMs).sort((a, b) => a - b);
  let queue = waiting;
  let at = 0;
  let ready = supply.ready;
  for (const next of [...times, horizonMs]) {
    const until = Math.max(at, next);
    queue = Math.max(0, queue + (arrivals - ready * drainRate) * (until - at));
    at = until;
    ready += 1;
  }
  return queue;
}
