/** What does a simulation tell a person, and a program? */
import type { OraclePlan } from '@ragscale/scaling/competitors/oracle';
import { type Estimate, estimate } from '@ragscale/scaling/simulator/repeat';
import type { SimulationResult } from '@ragscale/scaling/simulator/result';
import { shownDuration } from './option-values.ts';
import { printTable } from './output.ts';

export interface SimulationReport {
  readonly policy: string;
  /** Of the requests, the share that was not good: late, refused, expired or failed. */
  readonly violations: Estimate;
  readonly replicaSeconds: Estimate;
  /** Replica-seconds by those of the oracle in the same seeds; null where it was not asked. */
  readonly costOverOracle: Estimate | null;
  readonly oracle: OracleReport | null;
  readonly latencySeconds: { readonly p50: Estimate; readonly p95: Estimate; readonly p99: Estimate };
  readonly violationKinds: Readonly<Record<'late' | 'refused' | 'expired' | 'failed', Estimate>>;
  readonly meanReplicas: Estimate;
  readonly peakReplicas: Estimate;
  readonly changesPerHour: Estimate;
  readonly requests: Estimate;
  readonly load: string;
  readonly durationSeconds: number;
  readonly seeds: number;
  readonly objective: { readonly latencySeconds: number; readonly percentile: number };
  readonly coldStartSeconds: number;
  readonly pods: string;
  /** Of a policy that is not ours. */
  readonly settings?: unknown;
}

export interface OracleReport {
  readonly seeds: number;
  /** Share that it may fail. */
  readonly allowed: number;
  readonly violations: Estimate;
  readonly replicaSeconds: Estimate;
  /** No schedule costs less at as few violations. */
  readonly lowerBound: Estimate;
}

export type ReportSubject = Pick<
  SimulationReport,
  'policy' | 'load' | 'objective' | 'coldStartSeconds' | 'pods' | 'settings'
> & { readonly durationMs: number; readonly allowed: number };

/** @param plans of the first seeds; none where the oracle was not asked */
export function reportOf(
  { durationMs, allowed, ...subject }: ReportSubject,
  results: readonly SimulationResult[],
  plans: readonly OraclePlan[],
): SimulationReport {
  const of = (read: (result: SimulationResult) => number): Estimate => estimate(results.map(read));
  const share = (kind: 'late' | 'refused' | 'expired' | 'failed'): Estimate =>
    of((result) => result[kind] / Math.max(1, result.requests));
  const ofPlans = (read: (plan: OraclePlan) => number): Estimate => estimate(plans.map(read));
  const hours = durationMs / 3_600_000;
  const isPlanned = plans.length > 0;
  return {
    policy: subject.policy,
    violations: of(({ violationShare }) => violationShare),
    replicaSeconds: of(({ replicaSeconds }) => replicaSeconds),
    costOverOracle: isPlanned
      ? estimate(plans.map((plan, index) => results[index]!.replicaSeconds / plan.replicaSeconds))
      : null,
    oracle: isPlanned
      ? {
          seeds: plans.length,
          allowed,
          violations: ofPlans(({ violationShare }) => violationShare),
          replicaSeconds: ofPlans(({ replicaSeconds }) => replicaSeconds),
          lowerBound: ofPlans(({ lowerBound }) => lowerBound),
        }
      : null,
    latencySeconds: {
      p50: of(({ latencyMs }) => latencyMs.p50 / 1_000),
      p95: of(({ latencyMs }) => latencyMs.p95 / 1_000),
      p99: of(({ latencyMs }) => latencyMs.p99 / 1_000),
    },
    violationKinds: {
      late: share('late'),
      refused: share('refused'),
      expired: share('expired'),
      failed: share('failed'),
    },
    meanReplicas: of(({ meanReplicas }) => meanReplicas),
    peakReplicas: of(({ maxReplicas }) => maxReplicas),
    changesPerHour: of(({ changes }) => changes / hours),
    requests: of(({ requests }) => requests),
    load: subject.load,
    durationSeconds: durationMs / 1_000,
    seeds: results.length,
    objective: subject.objective,
    coldStartSeconds: subject.coldStartSeconds,
    pods: subject.pods,
    ...(subject.settings === undefined ? {} : { settings: subject.settings }),
  };
}

export function printReport(report: SimulationReport): void {
  const { objective, oracle, costOverOracle, latencySeconds, violationKinds } = report;
  const kinds = Object.entries(violationKinds)
    .filter(([, { mean }]) => mean > 0)
    .map(([kind, { mean }]) => `${kind} ${percent(mean)}`);
  const latency = Object.entries(latencySeconds).map(([name, { mean }]) => `${name} ${mean.toFixed(2)} s`);
  const seeds = (count: number): string => `${count} ${count === 1 ? 'seed' : 'seeds'}`;
  process.stdout.write(
    `${report.policy} under ${report.load}: ${whole(report.requests.mean)} requests in ${shownDuration(1_000 * report.durationSeconds)}, ` +
      `${objective.percentile}% within ${objective.latencySeconds} s, ${report.pods} pods, cold start ${report.coldStartSeconds} s, ${seeds(report.seeds)}\n`,
  );
  printTable([
    ['', 'MEAN', '95% CI', ''],
    ['violations', percent(report.violations.mean), percent(report.violations.ci95, '±'), kinds.join(', ')],
    [
      'replica-seconds',
      whole(report.replicaSeconds.mean),
      within(report.replicaSeconds, whole),
      `${report.meanReplicas.mean.toFixed(1)} replicas on average, ${report.peakReplicas.mean.toFixed(1)} at most`,
    ],
    costOverOracle === null || oracle === null
      ? ['over the oracle', '-', '', 'not asked']
      : [
          'over the oracle',
          `${costOverOracle.mean.toFixed(2)} x`,
          within(costOverOracle, (value) => value.toFixed(2)),
          `${whole(oracle.replicaSeconds.mean)} at ${percent(oracle.violations.mean)} (${percent(oracle.allowed)} allowed), ${seeds(oracle.seeds)}`,
        ],
    ['latency', `${latencySeconds.p50.mean.toFixed(2)} s`, '', latency.join(', ')],
    [
      'changes an hour',
      report.changesPerHour.mean.toFixed(1),
      within(report.changesPerHour, (value) => value.toFixed(1)),
      '',
    ],
  ]);
}

function percent(value: number, sign = ''): string {
  return Number.isNaN(value) ? '' : `${sign}${(100 * value).toFixed(2)}%`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function within({ ci95 }: Estimate, show: (value: number) => string): string {
  return Number.isNaN(ci95) ? '' : `±${show(ci95)}`;
}
