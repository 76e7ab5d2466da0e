/** What does a simulation tell beyond one draw? Means over seeds, and how far they can be trusted. */
import type { SimulationOptions } from './options.ts';
import type { SimulationResult } from './result.ts';
import { simulate } from './simulate.ts';
import { studentQuantile } from './student.ts';

export interface Estimate {
  readonly mean: number;
  /** Half of the width of the 95% confidence interval of the mean (Student's t); NaN with a single seed. */
  readonly ci95: number;
}

export const REPEATED = [
  'violationShare',
  'replicaSeconds',
  'meanReplicas',
  'maxReplicas',
  'changes',
  'meanInSystem',
] as const;
export type RepeatedNumber = (typeof REPEATED)[number];

export interface RepeatedResult {
  readonly seeds: readonly number[];
  readonly results: readonly SimulationResult[];
  readonly estimates: Readonly<Record<RepeatedNumber | 'p50' | 'p95' | 'p99', Estimate>>;
}

/** One simulation for each seed; give arrivals as a function, or only sizes, cold starts and crashes differ. */
export function repeat(options: Omit<SimulationOptions, 'seed'>, seeds: readonly number[]): RepeatedResult {
  const results = seeds.map((seed) => simulate({ ...options, seed }));
  const of = (read: (result: SimulationResult) => number) => estimate(results.map(read));
  return {
    seeds,
    results,
    estimates: {
      violationShare: of(({ violationShare }) => violationShare),
      replicaSeconds: of(({ replicaSeconds }) => replicaSeconds),
      meanReplicas: of(({ meanReplicas }) => meanReplicas),
      maxReplicas: of(({ maxReplicas }) => maxReplicas),
      changes: of(({ changes }) => changes),
      meanInSystem: of(({ meanInSystem }) => meanInSystem),
      p50: of(({ latencyMs }) => latencyMs.p50),
      p95: of(({ latencyMs }) => latencyMs.p95),
      p99: of(({ latencyMs }) => latencyMs.p99),
    },
  };
}

export function estimate(values: readonly number[]): Estimate {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, ci95: Number.NaN };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { mean, ci95: studentQuantile(0.975, count - 1) * Math.sqrt(variance / count) };
}
