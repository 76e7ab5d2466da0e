/** Reports of a round for tests: what is not given is as calm as can be. */
import type { Reading } from '@ragscale/scaling/observation';
import type { Measured } from '../src/measurements.ts';
import type { Report } from '../src/report.ts';
import type { Target } from '../src/target.ts';

export const value = (number: number): Reading => ({ kind: 'value', value: number });

export const aTarget: Target = {
  id: 'rag/a',
  namespace: 'rag',
  name: 'a',
  generation: 1,
  route: 'a',
  policy: { maxReplicas: 5, objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 } },
};

export function measuredWith(
  { rate = value(4), bad = value(0.01) }: { rate?: Reading; bad?: Reading },
  other: Partial<Measured> = {},
): Measured {
  return {
    observation: {
      arrivalRates: [{ windowMs: 60_000, reading: rate }],
      waiting: value(0),
      running: value(1),
      completionRate: value(4),
      serviceMs: value(500),
      serviceP95Ms: value(740),
      badShares: [{ windowMs: 60_000, reading: bad }],
      slots: value(1),
    },
    ageMs: 1_000,
    scrapeIntervalMs: 5_000,
    isTooCoarse: false,
    boundMs: 2_000,
    trouble: undefined,
    ...other,
  };
}

/** Two replicas, which are enough. */
export function reportWith(other: Partial<Report> = {}): Report {
  return {
    target: aTarget,
    at: Date.parse('2026-11-22T10:00:00Z'),
    state: { replicas: { spec: 2, ready: 2, startingAgesMs: [] }, readyPods: ['a-1', 'a-2'] },
    measured: measuredWith({}),
    decision: {
      replicas: 2,
      recommended: 2,
      reason: 'within-tolerance',
      terms: { spec: 2, ready: 2, starting: 0, perSecond: 4, aloneMs: 500, load: 2, planned: 2, backlog: 0 },
    },
    estimates: undefined,
    scaled: false,
    problem: undefined,
    ...other,
  };
}
