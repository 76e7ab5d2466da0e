/** How long is measured, and at which rates? */

/** How many points the curve of latency against the rate has. */
export type Curve = 'coarse' | 'fine';

export interface Plan {
  /** Visits of every system, in turns: forward, backward, forward ... */
  readonly rounds: number;
  /** How often a phase is measured again when other programs took part of the machine meanwhile. */
  readonly retries: number;
  /** Seconds of the window of a closed loop: as many clients as keep all slots taken, then one. */
  readonly saturationSeconds: number;
  /** Whether saturation is measured with answers of different lengths too, once. */
  readonly mixedLengths: boolean;
  readonly idleSeconds: number;
  /** Seconds of an open loop's window: what `pointRequests` take at its rate, within these. */
  readonly pointSeconds: { readonly least: number; readonly most: number };
  readonly pointRequests: number;
  /** Rates as shares of the system's own saturation; slow servers have fewer, since every point takes them long. */
  readonly fractions: Readonly<Record<Curve, readonly number[]>>;
  /** Requests a second at which systems are compared with each other. */
  readonly commonRates: readonly number[];
}

export interface RatePoint {
  /** Requests a second. */
  readonly rate: number;
  /** Whether this is `OBJECTIVE_SHARE` of the saturation: measured in every round, twice as long in all. */
  readonly atObjective: boolean;
}

/** The share of saturation at which latencies are reported. */
export const OBJECTIVE_SHARE = 0.7;
/** Points of nearly the same rate are one. */
const NEARLY = 0.12;
/** Beyond this share of saturation a queue grows without end. */
const HIGHEST_SHARE = 1.1;

export const FULL: Plan = {
  rounds: 2,
  retries: 2,
  saturationSeconds: 8,
  mixedLengths: true,
  idleSeconds: 3,
  pointSeconds: { least: 5, most: 9 },
  pointRequests: 35,
  fractions: { coarse: [0.4, 0.7, 0.9], fine: [0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.1] },
  commonRates: [1, 2, 4, 8],
};

export const QUICK: Plan = {
  rounds: 1,
  retries: 0,
  saturationSeconds: 4,
  mixedLengths: false,
  idleSeconds: 2,
  pointSeconds: { least: 3, most: 6 },
  pointRequests: 10,
  fractions: { coarse: [0.7], fine: [0.4, 0.7] },
  commonRates: [],
};

/** All rates of a system, ascending. A common rate takes the place of a fraction that is nearly as high. */
export function pointsOf(plan: Plan, saturation: number, curve: Curve): RatePoint[] {
  const objective = { rate: OBJECTIVE_SHARE * saturation, atObjective: true };
  const common = plan.commonRates.filter((rate) => rate <= HIGHEST_SHARE * saturation && !isNear(rate, objective.rate));
  const own = plan.fractions[curve]
    .filter((share) => share !== OBJECTIVE_SHARE)
    .map((share) => share * saturation)
    .filter((rate) => !common.some((other) => isNear(rate, other)));
  return [objective, ...[...common, ...own].map((rate) => ({ rate, atObjective: false }))].toSorted(
    (a, b) => a.rate - b.rate,
  );
}

/** Each point once, in turns; the objective's every time. */
export function pointsInRound(points: readonly RatePoint[], round: number, rounds: number): RatePoint[] {
  return points.filter(({ atObjective }, place) => atObjective || place % rounds === round);
}

/** Seconds before the window, in which queues and batches fill, and seconds of the window. */
export function secondsOf(plan: Plan, { rate, atObjective }: RatePoint, answerSeconds: number) {
  const { least, most } = plan.pointSeconds;
  const window = Math.min(Math.max(plan.pointRequests / rate, least), most) * (atObjective ? 2 / plan.rounds : 1);
  return { leadIn: Math.min(Math.max(1.5 * answerSeconds, 1), least), window: Math.max(window, least) };
}

export function isNear(rate: number, other: number): boolean {
  return Math.abs(rate / other - 1) < NEARLY;
}
