/** What does a fixed number of replicas cost? What everybody does who does not scale. */
import { type Competitor, clampReplicas, numberOf } from './competitor.ts';

export interface StaticSettings {
  readonly replicas: number;
}

export const STATIC: Competitor<StaticSettings> = {
  name: 'static',
  source: 'a Deployment with `replicas`',
  knobs: {
    replicas: { about: 'the number', isWhole: true, tries: Array.from({ length: 100 }, (_, index) => 100 - index) },
  },
  settings: (_, turned = {}) => ({ replicas: numberOf(turned, 'replicas', 3) }),
  create({ replicas }, limits) {
    const count = clampReplicas(replicas, limits);
    return () => ({
      periodMs: 60_000,
      decide: () => ({ replicas: count, recommended: count, reason: 'within-tolerance', terms: {} }),
    });
  },
};
