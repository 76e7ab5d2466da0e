/** What does a fixed number of replicas cost? What everybody does who does not scale. */
import { type Competitor, clampReplicas } from './competitor.ts';

export interface StaticSettings {
  readonly replicas: number;
}

export const STATIC: Competitor<StaticSettings> = {
  name: 'static',
  source: 'a Deployment with `replicas`',
  defaults: () => ({ replicas: 3 }),
  grid: () => Array.from({ length: 60 }, (_, index) => ({ replicas: index + 1 })),
  create({ replicas }, limits) {
    const count = clampReplicas(replicas, limits);
    return () => ({
      periodMs: 60_000,
      decide: () => ({ replicas: count, recommended: count, reason: 'within-tolerance', terms: {} }),
    });
  },
};
