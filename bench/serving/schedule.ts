/** When does each request of an open loop leave? Whatever became of those before it: at the times of a Poisson process. */

/**
 * Milliseconds from the start, ascending, up to `seconds`: the gaps are exponential with mean 1 / rate (inverse transform).
 * @param rate requests a second; @param uniform draws from [0, 1)
 */
export function poissonArrivals(rate: number, seconds: number, uniform: () => number): number[] {
  const arrivals: number[] = [];
  for (let at = 0; ; ) {
    at += (-Math.log(1 - uniform()) / rate) * 1000;
    if (at >= seconds * 1000) return arrivals;
    arrivals.push(at);
  }
}
