/** What is compared: ours, and the others out of the box and tuned. */
import type { Competitor, Knob, PodFacts, ReplicaLimits, Turned } from '@ragscale/scaling/competitors/competitor';
import { HPA } from '@ragscale/scaling/competitors/hpa';
import { KEDA } from '@ragscale/scaling/competitors/keda';
import { KPA } from '@ragscale/scaling/competitors/kpa';
import { RAY } from '@ragscale/scaling/competitors/ray';
import { SEED } from '@ragscale/scaling/competitors/seed';
import { STATIC, type StaticSettings } from '@ragscale/scaling/competitors/static';
import { createScaler } from '@ragscale/scaling/scaler';
import { DEFAULT_PODS, SINGLE_SLOT_PODS } from '@ragscale/scaling/simulator/defaults';
import { peakRate } from '@ragscale/scaling/simulator/initial-replicas';
import type { PodOptions, ScalerFactory, SimulationOptions } from '@ragscale/scaling/simulator/options';

export const OBJECTIVE_MS = 2_000;
/** Requests that may fail where ways to scale are compared at equal violations. */
export const ALLOWED = 0.005;
export const LIMITS: ReplicaLimits = { min: 1, max: 100 };
export const COLD_STARTS_S = [10, 30, 90] as const;

export const POD_KINDS = {
  /** As it ships. */
  batched: DEFAULT_PODS,
  single: SINGLE_SLOT_PODS,
} as const satisfies Record<string, PodOptions>;
export type PodKind = keyof typeof POD_KINDS;

export function podsOf(kind: PodKind, coldStartS: number): PodOptions {
  return { ...POD_KINDS[kind], coldStart: { readyMs: coldStartS * 1000 } };
}

export function factsOf(pods: PodOptions): PodFacts {
  return { slots: pods.slots, peakRate: peakRate(pods) };
}

interface OurSettings {
  /** Share of the requests that is to be within the objective, in percent. */
  readonly percentile: number;
}

/** As most objectives are written; the others are tuned by what they fail, and so may this be: what it costs to fail as few as another does. */
const OURS: Competitor<OurSettings> = {
  name: 'ragscale',
  source: 'packages/scaling/src/scaler.ts',
  knobs: { percentile: { about: 'of the objective', tries: [50, 75, 90, 95, 98, 99.5] } },
  settings: (_, turned = {}) => ({ percentile: Number(turned.percentile ?? 95) }),
  create: ({ percentile }, { min, max }) => {
    const objective = { metric: 'duration', latencyMs: OBJECTIVE_MS, percentile } as const;
    return (start) => createScaler({ minReplicas: min, maxReplicas: max, objective }, start);
  },
};

/** One way to scale with its settings out of sight. */
export interface Policy {
  readonly name: string;
  readonly source: string;
  readonly isOurs: boolean;
  readonly knobs: Readonly<Record<string, Knob>>;
  defaults(pod: PodFacts): unknown;
  settings(pod: PodFacts, turned: Turned): unknown;
  create(settings: unknown): ScalerFactory;
  /** What it has when the load begins, where that is its own affair. */
  start(settings: unknown): Partial<Pick<SimulationOptions, 'initialReplicas'>>;
}

function policy<Settings>(competitor: Competitor<Settings>, given: Partial<Policy> = {}): Policy {
  return {
    ...competitor,
    isOurs: false,
    defaults: (pod) => competitor.settings(pod),
    create: (settings) => competitor.create(settings as Settings, LIMITS),
    start: () => ({}),
    ...given,
  };
}

export const OUR_POLICY = policy(OURS, { isOurs: true });
/** Tuned as the others are. */
export const OTHERS: readonly Policy[] = [
  policy(HPA),
  policy(KEDA),
  policy(KPA),
  policy(RAY),
  policy(SEED),
  policy(STATIC, { start: (settings) => ({ initialReplicas: (settings as StaticSettings).replicas }) }),
];
