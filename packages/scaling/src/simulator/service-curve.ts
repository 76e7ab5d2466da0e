/** How fast does a pod work on so many requests at once? Curves of our own pod, as it was measured. */

/**
 * Points (requests that run at once, requests finished in the time that one alone takes), both ascending; straight lines between them,
 * flat beyond the last. The first is (1, 1).
 */
export type ServiceCurve = readonly (readonly [running: number, throughput: number])[];

/**
 * bench/serving/results.json, OPT-125m, a fit to all points of each system: running from Little's law (rate times the median latency),
 * throughput from the rate by that of one alone (answers alone take 363 ms in w8a8, 856 ms in fp32), the last point from saturation.
 */
export const MEASURED_CURVES = {
  'w8a8-16': [
    [1, 1],
    [2, 1.35],
    [4, 1.9],
    [6, 2.35],
    [8, 2.7],
    [11, 3.05],
    [16, 3.53],
  ],
  'w8a8-32': [
    [1, 1],
    [3, 1.78],
    [7, 2.7],
    [15, 3.95],
    [25, 4.42],
    [32, 4.66],
  ],
  'fp32-16': [
    [1, 1],
    [4, 2.0],
    [7, 2.9],
    [10, 3.7],
    [16, 5.04],
  ],
  /** The baseline variant: one at a time. */
  single: [[1, 1]],
} as const satisfies Record<string, ServiceCurve>;
export type CurveName = keyof typeof MEASURED_CURVES;

/** Requests finished in the time that one alone takes. */
export function throughputAt(curve: ServiceCurve, running: number): number {
  let [beforeX, beforeY] = [0, 0];
  for (const [x, y] of curve) {
    if (running <= x) return beforeY + ((running - beforeX) * (y - beforeY)) / (x - beforeX);
    [beforeX, beforeY] = [x, y];
  }
  return beforeY;
}

/** By how many run, from 0 to `slots`: how much of a millisecond's work (of one alone) each of them gets in a millisecond. */
export function progressRates(curve: ServiceCurve, slots: number): Float64Array {
  return Float64Array.from({ length: slots + 1 }, (_, running) =>
    running === 0 ? 0 : throughputAt(curve, running) / running,
  );
}

/** Names what is wrong with a curve; undefined where nothing is. */
export function problemOfCurve(curve: ServiceCurve): string | undefined {
  if (curve[0]?.[0] !== 1 || curve[0][1] !== 1) return 'a service curve begins with [1, 1]';
  for (let i = 1; i < curve.length; i++) {
    const [[x0, y0], [x1, y1]] = [curve[i - 1]!, curve[i]!];
    if (!(x1 > x0 && y1 >= y0)) return `a service curve ascends: [${x0}, ${y0}] comes before [${x1}, ${y1}]`;
  }
  return undefined;
}
