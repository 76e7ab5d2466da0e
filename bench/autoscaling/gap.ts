/** Why does ours cost more than somebody who knows the future? Cold start, requests known one by one, caution, and the rest. */
import { isAt, OURS, type Place } from './comparison.ts';
import { costAtEqualViolations } from './frontier.ts';
import type { Point, Report } from './report.ts';

/** Replica-seconds of one load, means of the oracle's seeds; those from `oracle` on in sum are `ours`. */
export interface Gap {
  readonly load: string;
  /** The least that any schedule could cost. */
  readonly work: number;
  readonly oracle: number;
  readonly ours: number;
  readonly violations: number;
  /** What knowing every request and its size saves somebody who knows the rate ahead, and waits for no pod. */
  readonly requestsKnown: number;
  /** What waiting for pods costs ours beyond what it costs the oracle. */
  readonly coldStart: number;
  /** What it costs to fail fewer than the oracle may, as far as ours can be had with more. */
  readonly failsFewer: number;
  /** Learning what the load and the pods are, caution, and holding on. */
  readonly rest: number;
}

export function gapsAt(report: Report, place: Place): Gap[] {
  const { settings, points, oracle, withoutColdStart } = report;
  return settings.loads.flatMap(({ name: load }): Gap[] => {
    const of = (all: readonly Point[], coldStartS: number) =>
      all.filter((point) => point.policy === OURS && point.load === load && isAt({ ...place, coldStartS })(point));
    const mine = of(points, place.coldStartS);
    const own = mine.find(({ variant }) => variant === 'default')?.onOracleSeeds;
    const plan = oracle.find((one) => one.load === load && isAt(place)(one));
    const warm = oracle.find((one) => one.load === load && isAt({ ...place, coldStartS: 0 })(one));
    const mineWarm = of(withoutColdStart, 0);
    if (own === undefined || plan === undefined || warm === undefined || mineWarm.length === 0) return [];
    const atAllowed = (all: readonly Point[]): number =>
      costAtEqualViolations(
        all.map(({ onOracleSeeds }) => ({
          violations: onOracleSeeds.violations,
          cost: onOracleSeeds.replicaSeconds,
        })),
        settings.allowed,
      ).cost;
    const [atCold, atWarm] = [atAllowed(mine), atAllowed(mineWarm)];
    const requestsKnown = warm.rateKnown - warm.replicaSeconds;
    const coldStart = atCold - atWarm - (plan.replicaSeconds - warm.replicaSeconds);
    const failsFewer = own.replicaSeconds - atCold;
    return [
      {
        load,
        work: plan.lowerBound,
        oracle: plan.replicaSeconds,
        ours: own.replicaSeconds,
        violations: own.violations,
        requestsKnown,
        coldStart,
        failsFewer,
        rest: own.replicaSeconds - plan.replicaSeconds - requestsKnown - coldStart - failsFewer,
      },
    ];
  });
}
