/** How are requests sent at times that no answer can delay? */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @param arrivals milliseconds from now, ascending
 * @param send is given the time it was due, of `performance.now()`
 */
export async function openLoop<Result>(
  arrivals: readonly number[],
  send: (index: number, dueAt: number) => Promise<Result>,
): Promise<Result[]> {
  const start = performance.now();
  const pending: Promise<Result>[] = [];
  for (const [index, arrival] of arrivals.entries()) {
    const dueAt = start + arrival;
    const wait = dueAt - performance.now();
    if (wait > 0) await sleep(wait);
    pending.push(send(index, dueAt));
  }
  return Promise.all(pending);
}
