/** What share of requests is not in time, if so many replicas share such a load? Erlang's chain, for pods that batch. */

/** What has been learnt of one replica. */
export interface PodModel {
  /** Mean time of a request that has a replica for itself. */
  readonly aloneMs: number;
  /**
   * With k requests at once each takes k to this power as long: 0 where they do not hinder each other, 1 where batching wins nothing.
   * Every curve measured of our own pods follows such a power within 5%, with 0.42 to 0.56.
   */
  readonly growth: number;
  /** Requests that a replica works on at once. */
  readonly slots: number;
  /** How much requests differ: deviation of the logarithm of what one takes (lognormal, mean 1). */
  readonly spread: number;
}

export interface Target {
  readonly latencyMs: number;
  /** Of the time of a whole answer, what counts: 1, or what the first token takes. */
  readonly timedShare: number;
}

/** Counts the states that were looked at, for whoever wants to know what a decision costs. */
export interface Effort {
  states: number;
}

/** States less likely than this by the likeliest one change nothing. */
const NEGLIGIBLE = 1e-7;
/** States looked at within a deviation of the number in the system; fewer than four change the result by more than 1%. */
const STATES_IN_DEVIATION = 8;
/** A queue this long beside so many replicas that it is no trouble is not looked at to its end. */
const MOST_STATES = 5_000;

/** Mean time of an answer by a replica that works on `atOnce`. */
export function serviceMsAt(model: PodModel, atOnce: number): number {
  return model.aloneMs * Math.max(1, atOnce) ** model.growth;
}

/** Requests per millisecond that `replicas` finish while they work on as many as they can. */
export function fullRate(model: PodModel, replicas: number): number {
  return (replicas * model.slots) / serviceMsAt(model, model.slots);
}

/**
 * Deviation of the logarithm of the times of requests beside `atOnce` in the mean, themselves included: not all replicas have as many. In the
 * simulator, where requests take turns, that adds growth^2 / (4 k) to the variance of the sizes (k from 1.5 to 4.3, within a fifth); one replica
 * alone has as many as there are.
 */
export function deviationAt({ spread, growth }: PodModel, atOnce: number, replicas: number): number {
  return Math.sqrt(spread ** 2 + (growth ** 2 * (1 - 1 / replicas)) / (4 * Math.max(1, atOnce)));
}

/** Share of requests that take longer than `leftMs` with their replica, if replicas work on `atOnce` in the mean. */
export function slowerThan(
  model: PodModel,
  target: Target,
  { replicas, atOnce }: { readonly replicas: number; readonly atOnce: number },
  leftMs: number,
): number {
  return exceeds(leftMs / (serviceMsAt(model, atOnce) * target.timedShare), deviationAt(model, atOnce, replicas));
}

/** Share that is late where no request meets another. */
export function lateAlone(model: PodModel, target: Target): number {
  return slowerThan(model, target, { replicas: 1, atOnce: 1 }, target.latencyMs);
}

/** Share of a lognormal distribution with mean 1 that is above `size`. @param deviation of the logarithm */
export function exceeds(size: number, deviation: number): number {
  return size > 0 ? aboveDeviations(Math.log(size) / deviation + deviation / 2) : 1;
}

/**
 * The stationary birth-death chain of all requests in the system: arrivals at one rate, departures at the rate of as many as work, spread
 * evenly (Kleinrock, Queueing Systems I (1975), 3.1; with one slot it is M/M/c, and the share that waits is Erlang's C). Summed from the
 * likeliest state outwards, so that nothing overflows and the cost does not grow with the load.
 *
 * @returns the share that is later than the target allows; 1 where the replicas cannot keep up
 */
export function lateShare(
  model: PodModel,
  target: Target,
  perSecond: number,
  replicas: number,
  effort?: Effort,
): number {
  const arrivals = perSecond / 1_000;
  if (!(arrivals > 0)) return lateAlone(model, target);
  const slots = replicas * model.slots;
  const drain = replicas > 0 ? fullRate(model, replicas) : 0;
  if (arrivals >= drain) return 1;
  const departures = (inSystem: number) =>
    inSystem >= slots ? drain : inSystem / serviceMsAt(model, inSystem / replicas);
  const full = { replicas, atOnce: model.slots };
  const late = (found: number) => {
    const queued = found + 1 - slots;
    if (queued > 0) return slowerThan(model, target, full, target.latencyMs - queued / drain);
    return slowerThan(model, target, { replicas, atOnce: (found + 1) / replicas }, target.latencyMs);
  };

  const mode = likeliestState(departures, arrivals, slots);
  // Requests that differ less than exponential ones queue less: (1 + variation^2) / 2 of the wait (Allen and Cunneen; Whitt 1993).
  const decay = (arrivals / drain) ** (2 / Math.exp(model.spread ** 2));
  // Of a thousand states that differ by a thousandth, one stands for its neighbours.
  const stride = Math.max(1, Math.floor(Math.sqrt(mode) / STATES_IN_DEVIATION));
  let states = 0;
  let weight = 1;
  let total = 0;
  let lateTotal = 0;
  for (let found = mode; ; found += stride) {
    if (found > slots && (states >= MOST_STATES || found + 1 - slots >= target.latencyMs * drain)) {
      // From here on everybody is late, or is taken to be: the rest of a geometric series.
      const rest = weight / (1 - decay ** stride);
      total += rest;
      lateTotal += rest;
      break;
    }
    total += weight;
    lateTotal += weight * late(found);
    states += 1;
    const next = found + (stride + 1) / 2;
    const ratio = next > slots ? decay : arrivals / departures(next);
    weight *= stride === 1 ? ratio : ratio ** stride;
    if (weight < NEGLIGIBLE) break;
  }
  weight = 1;
  for (let found = mode; found >= stride; found -= stride) {
    const ratio = departures(found - (stride - 1) / 2) / arrivals;
    weight *= stride === 1 ? ratio : ratio ** stride;
    if (weight < NEGLIGIBLE) break;
    total += weight;
    lateTotal += weight * late(found - stride);
    states += 1;
  }
  if (effort !== undefined) effort.states += states;
  return Math.min(1, lateTotal / total);
}

/** @returns the most requests per second of which no larger share is late; 0 where more are late even alone */
export function goodRate(model: PodModel, target: Target, share: number, replicas: number): number {
  let [low, high] = [0, 1_000 * fullRate(model, replicas)];
  while (high - low > 1e-3 * high) {
    const middle = (low + high) / 2;
    if (lateShare(model, target, middle, replicas) <= share) low = middle;
    else high = middle;
    if (high < 1e-6) return 0;
  }
  return low;
}

/** The last state that is left less often than requests arrive. */
function likeliestState(departures: (inSystem: number) => number, arrivals: number, slots: number): number {
  let [low, high] = [0, slots];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (departures(middle) < arrivals) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Share of a normal distribution that lies so many deviations above its mean: Abramowitz and Stegun 26.2.17, off by less than 8e-8. */
function aboveDeviations(deviations: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(deviations));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const above = (Math.exp((-deviations * deviations) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return deviations >= 0 ? above : 1 - above;
}
