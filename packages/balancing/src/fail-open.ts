/**
 * Are so many pods out that what says so is likelier at fault, or those that are left would drown? Then the doubtful ones get
 * requests again (`EndpointHealth.mayFailOpenAt`): a request that may fail is better than one that certainly does.
 */

/** Envoy's default healthy_panic_threshold. */
const DEFAULT_THRESHOLD = 0.5;

/**
 * @param able how many endpoints are able
 * @param possible how many could be: all but those that start or drain, since nobody is wrong about these
 * @param threshold the share of able ones below which it opens; 0: never
 */
export function failsOpen(able: number, possible: number, threshold: number = DEFAULT_THRESHOLD): boolean {
  return able < threshold * possible;
}
