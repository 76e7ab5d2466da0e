/** What does the simulator say of the same load, pods, objective and cold start? `ragscale simulate`, and one of its runs second by second. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { createScaler } from '@ragscale/scaling/scaler';
import { DEFAULT_PODS, simulationOptions } from '@ragscale/scaling/simulator/defaults';
import type { TimelineSample } from '@ragscale/scaling/simulator/result';
import { MEASURED_CURVES } from '@ragscale/scaling/simulator/service-curve';
import { simulate } from '@ragscale/scaling/simulator/simulate';
import * as settings from './settings.ts';
import type { Replay } from './trace.ts';

const CLI = path.join(import.meta.dirname, '../../../apps/cli/src/main.ts');
const SEEDS = 20;
const SAMPLE_MS = 5_000;

interface Estimate {
  readonly mean: number;
  readonly ci95: number;
}

export interface Simulated {
  /** As a person would have typed it. */
  readonly command: string;
  readonly replicaSeconds: Estimate;
  readonly violations: Estimate;
  readonly timeline: readonly TimelineSample[];
}

export interface Start {
  readonly initial: number;
  readonly coldStartMs: number;
}

export async function simulated(replay: Replay, csvFile: string, start: Start): Promise<Simulated> {
  const flags = flagsFor(csvFile, start);
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', CLI, ...flags, '--json']);
  const { replicaSeconds, violations } = JSON.parse(stdout) as Pick<Simulated, 'replicaSeconds' | 'violations'>;
  return {
    command: ['npx', 'ragscale', ...flags].join(' '),
    replicaSeconds,
    violations,
    timeline: timelineOf(replay, start),
  };
}

function flagsFor(csvFile: string, { initial, coldStartMs }: Start): string[] {
  const { OBJECTIVE_S, PERCENTILE, MEAN_SERVICE_MS, PROXIES, MIN_REPLICAS, MAX_REPLICAS } = settings;
  const options = {
    trace: csvFile,
    policy: 'ragscale',
    objective: `${OBJECTIVE_S}s`,
    percentile: PERCENTILE,
    pods: 'batched',
    'mean-service': `${MEAN_SERVICE_MS}ms`,
    sizes: 'tokens',
    'cold-start': `${Math.round(coldStartMs)}ms`,
    proxies: PROXIES,
    min: MIN_REPLICAS,
    max: MAX_REPLICAS,
    initial,
    seeds: SEEDS,
  };
  return ['simulate', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]), '--no-oracle'];
}

/** Of the first seed. */
function timelineOf({ arrivals }: Replay, { initial, coldStartMs }: Start): readonly TimelineSample[] {
  const { OBJECTIVE_S, PERCENTILE, MEAN_SERVICE_MS, PROXIES, MIN_REPLICAS, MAX_REPLICAS, SLOTS, CURVE } = settings;
  const objective = { metric: 'duration', latencyMs: 1_000 * OBJECTIVE_S, percentile: PERCENTILE } as const;
  return simulate(
    simulationOptions({
      arrivals,
      scaler: (at) => createScaler({ minReplicas: MIN_REPLICAS, maxReplicas: MAX_REPLICAS, objective }, at),
      initialReplicas: initial,
      objectiveMs: objective.latencyMs,
      pods: {
        ...DEFAULT_PODS,
        slots: SLOTS,
        curve: MEASURED_CURVES[CURVE],
        meanServiceMs: MEAN_SERVICE_MS,
        sizes: { kind: 'tokens' },
        coldStart: { readyMs: coldStartMs },
      },
      proxies: { count: PROXIES },
      sampleIntervalMs: SAMPLE_MS,
    }),
  ).timeline;
}
