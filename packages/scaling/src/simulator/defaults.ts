/** What is simulated unless something else is asked for? Our pod as it ships, behind one proxy as it ships. */
import type { MetricsOptions, PodOptions, ProxyOptions, SimulationOptions } from './options.ts';
import { MEASURED_CURVES } from './service-curve.ts';

/** Answers of our pod have up to 64 tokens, and most have them all: its measured times hardly vary (bench/serving, p95 by p50 alone). */
export const DEFAULT_PODS: PodOptions = {
  slots: 16,
  curve: MEASURED_CURVES['w8a8-16'],
  meanServiceMs: 500,
  sizes: { kind: 'lognormal', variation: 0.25 },
  coldStart: { readyMs: 30_000 },
};

/** The baseline variant: one question at a time. */
export const SINGLE_SLOT_PODS: PodOptions = { ...DEFAULT_PODS, slots: 1, curve: MEASURED_CURVES.single };

/** MAX_QUEUED_REQUESTS, REQUEST_TIMEOUT_MS and MAX_TRIES of the proxy. */
export const DEFAULT_PROXIES: ProxyOptions = {
  count: 1,
  spread: 'round-robin',
  maxQueued: 2048,
  deadlineMs: 60_000,
  maxTries: 3,
  restartsMs: [],
};

/** The windows of the autoscaler's queries. */
export const DEFAULT_METRICS: MetricsOptions = {
  scrapeIntervalMs: 2_500,
  queryLagMs: 250,
  arrivalWindowsMs: [10_000, 30_000, 60_000],
  badShareWindowsMs: [60_000, 300_000],
  outages: [],
};

type Given = Pick<SimulationOptions, 'arrivals' | 'scaler'> &
  Partial<Omit<SimulationOptions, 'pods' | 'proxies' | 'metrics'>> & {
    readonly pods?: Partial<PodOptions>;
    readonly proxies?: Partial<ProxyOptions>;
    readonly metrics?: Partial<MetricsOptions>;
  };

/** Options with everything that is not given as it is by default. */
export function simulationOptions(given: Given): SimulationOptions {
  return {
    seed: 1,
    initialReplicas: 2,
    objectiveMs: 2_000,
    controllerRestartsMs: [],
    sampleIntervalMs: 0,
    keepDecisions: false,
    keepOutcomes: false,
    ...given,
    pods: { ...DEFAULT_PODS, ...given.pods },
    proxies: { ...DEFAULT_PROXIES, ...given.proxies },
    metrics: { ...DEFAULT_METRICS, ...given.metrics },
  };
}
