/** What would one queue before the slots of all pods come to, whose speeds are known? To see how near a proxy comes to it. */

/**
 * First come, first served; among free slots the fastest. Without any way between queue and pods.
 * @param arrivals milliseconds, ascending; @param serviceMs of each on a pod at full speed
 * @param slowdowns one for each slot: times as long as at full speed
 * @returns milliseconds from arrival to answer, in the order of the arrivals
 */
export function oneQueueTimes(
  arrivals: readonly number[],
  serviceMs: readonly number[],
  slowdowns: readonly number[],
): number[] {
  const freeAt = slowdowns.map(() => 0);
  return arrivals.map((arrival, index) => {
    const start = Math.max(arrival, Math.min(...freeAt));
    let chosen = -1;
    for (const [slot, at] of freeAt.entries()) {
      if (at <= start && (chosen < 0 || slowdowns[slot]! < slowdowns[chosen]!)) chosen = slot;
    }
    const end = start + serviceMs[index]! * slowdowns[chosen]!;
    freeAt[chosen] = end;
    return end - arrival;
  });
}
