/** What can be simulated? Every time is in milliseconds. */
import type { Arrivals } from '../arrivals/arrivals.ts';
import type { Decision } from '../decision.ts';
import type { Observation } from '../observation.ts';
import type { OutageKind } from './monitor.ts';
import type { Spread } from './proxy.ts';
import type { ServiceCurve } from './service-curve.ts';

/** What is true at this moment, for rules that do not measure through Prometheus (queue-proxy, Ray's handles); a scaler of ours never looks. */
export interface ExactCounts {
  /** Requests that wait, in proxies and pods, and that pods work on. */
  readonly waiting: number;
  readonly running: number;
  /** Integral of both over time since the start, in milliseconds: its growth by the time passed is the mean concurrency. */
  readonly inSystemMs: number;
  /** Since the start. */
  readonly arrivals: number;
}

export interface SimulatedObservation extends Observation {
  readonly exact: ExactCounts;
}

/** Every `Scaler` is one. */
export interface SimulatedScaler {
  readonly periodMs: number;
  decide(observation: SimulatedObservation, now: number): Decision;
}

export interface ScalerStart {
  readonly now: number;
  /** What the target is told to have when the scaler comes. */
  readonly replicas: number;
}

export type ScalerFactory = (start: ScalerStart) => SimulatedScaler;

export interface ColdStart {
  /** From creation to the first request that it may get; the median where `spread` is not 0. */
  readonly readyMs: number;
  /** Deviation of the logarithm (lognormal); 0 unless given. */
  readonly spread?: number;
  /** The node does not have the image yet: how often, and how much longer that takes. */
  readonly imagePull?: { readonly share: number; readonly ms: number };
  /** Share of the pods that never get ready; 0 unless given. */
  readonly stuckShare?: number;
}

/** How much work requests are, with a mean of `meanServiceMs`. `tokens` takes what the arrivals say, by their mean. */
export type SizeModel =
  | { readonly kind: 'constant' }
  | { readonly kind: 'exponential' }
  | { readonly kind: 'lognormal'; readonly variation: number }
  | { readonly kind: 'tokens' };

export interface PodOptions {
  readonly slots: number;
  readonly curve: ServiceCurve;
  /** Of the mean request when it runs alone. */
  readonly meanServiceMs: number;
  readonly sizes: SizeModel;
  readonly coldStart: ColdStart;
  /** Each ready pod crashes so often; it is restarted and is able again after `restartMs`. */
  readonly crashes?: { readonly perHour: number; readonly restartMs: number };
  /** A share of the pods takes `factor` times as long. */
  readonly slow?: { readonly share: number; readonly factor: number };
}

export interface ProxyOptions {
  readonly count: number;
  readonly spread: Spread;
  /** Requests that wait in each proxy; more are refused. */
  readonly maxQueued: number;
  /** Who waits longer is answered 504. */
  readonly deadlineMs: number;
  /** Requests that a proxy has with a pod at most; slots / proxies, rounded up, and one in advance unless given. */
  readonly podConcurrency?: number;
  /** Pods that a request is tried with, where those before it crashed. */
  readonly maxTries: number;
  /** When a proxy (the first) is restarted: its counters begin again. */
  readonly restartsMs: readonly number[];
}

export interface Outage {
  readonly kind: OutageKind;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface MetricsOptions {
  readonly scrapeIntervalMs: number;
  /** Until a sample can be queried. */
  readonly queryLagMs: number;
  /** Windows of the arrival rates, ascending; each is at least four scrapes long. */
  readonly arrivalWindowsMs: readonly number[];
  /** Windows of the shares of bad answers, ascending. */
  readonly badShareWindowsMs: readonly number[];
  readonly outages: readonly Outage[];
}

export interface SimulationOptions {
  readonly seed: number;
  readonly arrivals: Arrivals | ((random: () => number) => Arrivals);
  readonly scaler: ScalerFactory;
  /** Able at the start. */
  readonly initialReplicas: number;
  /** An answer that takes longer is not good. */
  readonly objectiveMs: number;
  readonly pods: PodOptions;
  readonly proxies: ProxyOptions;
  readonly metrics: MetricsOptions;
  /** When the controller is restarted: a new scaler decides from then on. */
  readonly controllerRestartsMs: readonly number[];
  /** Distance of the samples of the timeline; 0: none. */
  readonly sampleIntervalMs: number;
  /** Whether the result keeps every decision that changed something. */
  readonly keepDecisions: boolean;
  /** Whether the result tells of each request if it was good. */
  readonly keepOutcomes: boolean;
}
