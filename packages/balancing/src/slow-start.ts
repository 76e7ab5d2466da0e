/** What share of its weight does a pod have that has just become able? A cold one answers slowly, and would drown in its full share. */

/** Envoy's default min_weight_percent: less would leave a pod without the requests that warm it. */
const MIN_FACTOR = 0.1;

/**
 * Envoy's slow start with aggression 1: the share of the window that has passed, at least 0.1; 1 where the window is 0.
 * @param ableSince as `EndpointHealth.ableSince` has it: in the future for one that is ejected, undefined for one that a probe has to
 * take back; if either gets requests nonetheless, it is as little as possible
 */
export function slowStartFactor(ableSince: number | undefined, now: number, windowMs: number): number {
  if (windowMs <= 0) return 1;
  if (ableSince === undefined) return MIN_FACTOR;
  return Math.min(1, Math.max(MIN_FACTOR, (now - ableSince) / windowMs));
}
