/** Which ways to scale are there beside ours, by name? */
import type { Competitor } from './competitor.ts';
import { HPA } from './hpa.ts';
import { KEDA } from './keda.ts';
import { KPA } from './kpa.ts';
import { RAY } from './ray.ts';
import { SEED } from './seed.ts';
import { STATIC } from './static.ts';

export const COMPETITORS = { hpa: HPA, keda: KEDA, kpa: KPA, ray: RAY, seed: SEED, static: STATIC } as const;
export type CompetitorName = keyof typeof COMPETITORS;

/** One of them with its type of settings out of sight. */
export function competitorNamed(name: CompetitorName): Competitor<unknown> {
  return COMPETITORS[name] as Competitor<unknown>;
}
