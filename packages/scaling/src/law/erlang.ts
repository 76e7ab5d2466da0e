/** How likely is it that a request has to wait before servers that take one at a time? */

/**
 * Erlang C: the share of requests that find all servers taken (Poisson arrivals, exponential service, one queue).
 * By the recursion of the inverse of Erlang B, 1 / B(n) = 1 + n / a * 1 / B(n - 1), which neither overflows nor cancels: Cooper,
 * Introduction to Queueing Theory (1981), 3.3. Once 1 / B is beyond any number, nobody waits.
 *
 * @param offered arrival rate times mean service time, in servers
 * @returns 1 where the servers cannot keep up
 */
export function erlangC(servers: number, offered: number): number {
  if (!(offered > 0)) return 0;
  if (servers <= offered) return 1;
  let inverseB = 1;
  for (let n = 1; n <= servers; n++) {
    inverseB = 1 + (n / offered) * inverseB;
    if (inverseB > 1e300) return 0;
  }
  return servers / (servers - offered * (1 - 1 / inverseB)) / inverseB;
}
