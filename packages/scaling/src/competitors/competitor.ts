/** What does the bench need of a way to scale? What it is, how it comes out of the box, what of it people tune, and how to make one. */
import type { ScalerFactory } from '../simulator/options.ts';

/** Both inclusive. */
export interface ReplicaLimits {
  readonly min: number;
  readonly max: number;
}

/** What whoever sets the others up knows of the pods. */
export interface PodFacts {
  /** Requests that a pod works on at once. */
  readonly slots: number;
  /** Requests a second that a pod finishes with all slots taken. */
  readonly peakRate: number;
}

export interface Competitor<Settings> {
  readonly name: string;
  /** Project, file, version and licence of the algorithm. */
  readonly source: string;
  /** Out of the box; what has no default there is what its documentation suggests. */
  defaults(pod: PodFacts): Settings;
  /** What a careful user would try; the best of them on the training loads is the tuned one. */
  grid(pod: PodFacts): readonly Settings[];
  create(settings: Settings, limits: ReplicaLimits): ScalerFactory;
}

/** Every combination: {a: [1, 2], b: [3]} gives {a: 1, b: 3} and {a: 2, b: 3}. */
export function combinations<Settings extends object>(
  values: {
    readonly [Key in keyof Settings]: readonly Settings[Key][];
  },
): Settings[] {
  let all: Partial<Settings>[] = [{}];
  for (const key of Object.keys(values) as (keyof Settings)[]) {
    all = all.flatMap((one) => values[key].map((value) => ({ ...one, [key]: value })));
  }
  return all as Settings[];
}

export function clampReplicas(replicas: number, { min, max }: ReplicaLimits): number {
  return Math.min(max, Math.max(min, replicas));
}
