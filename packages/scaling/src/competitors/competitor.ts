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

/** One thing that people tune. */
export interface Knob {
  readonly about: string;
  /** What a careful user would try: numbers ascending, or words. */
  readonly tries: readonly (number | string)[];
  /** It takes whole numbers only. */
  readonly isWhole?: true;
}

/** Some knobs turned; the others are as they come out of the box. */
export type Turned = Readonly<Record<string, number | string>>;

export interface Competitor<Settings> {
  readonly name: string;
  /** Project, file, version and licence of the algorithm. */
  readonly source: string;
  /** By name; of the first one the larger values cost less and fail more (of a number of replicas the smaller ones). */
  readonly knobs: Readonly<Record<string, Knob>>;
  /** Without a knob turned: out of the box; what has no default there is what its documentation suggests. */
  settings(pod: PodFacts, turned?: Turned): Settings;
  create(settings: Settings, limits: ReplicaLimits): ScalerFactory;
}

/** A knob that takes a number. */
export function numberOf(turned: Turned, knob: string, otherwise: number): number {
  const value = turned[knob];
  return typeof value === 'number' ? value : otherwise;
}

/** Shares of what a pod can do at once, from far too careful to careless. */
export const SHARES = [
  0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5,
];

export function clampReplicas(replicas: number, { min, max }: ReplicaLimits): number {
  return Math.min(max, Math.max(min, replicas));
}
