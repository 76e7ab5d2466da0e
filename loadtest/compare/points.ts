/** What do several runs say side by side? One row for each system, way of arriving and rate. */
import type { Report } from '../lib/report.ts';

export interface Point {
  /** The name of the system, as `-e NAME=` said. */
  readonly design: string;
  /** The script: ideal, poisson. */
  readonly test: string;
  /** Requests a second. */
  readonly rate: number;
  readonly requests: number;
  /** Share of the requests that were answered within the objective. */
  readonly good: number;
  readonly refused: number;
  /** Broken streams among them. */
  readonly failed: number;
  /** Of the answers; null where there are none. */
  readonly meanMs: number | null;
  readonly p99Ms: number | null;
  /** Answers a second. */
  readonly throughput: number;
  /** The load was sent as it was planned. */
  readonly kept: boolean;
}

/** A file that is no report of a load test. */
export class NoReportError extends Error {
  override readonly name = 'NoReportError';
}

/** @param file for the message @throws NoReportError */
export function parseReport(text: string, file: string): Report {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    throw new NoReportError(`${file} is not JSON`);
  }
  if ((report as { format?: unknown } | null)?.format !== 'ragscale-loadtest/1') {
    throw new NoReportError(`${file} is no report of a load test (its format is not ragscale-loadtest/1)`);
  }
  return report as Report;
}

export function pointsOf(reports: readonly Report[]): Point[] {
  return reports.flatMap((report) => report.stages.flatMap((stage) => pointOf(report, stage)));
}

function pointOf({ name, test, generator, settings }: Report, stage: Report['stages'][number]): Point[] {
  const { answered, refused, broken, failed } = stage.outcomes;
  const requests = answered + refused + broken + failed;
  if (requests === 0) return [];
  return [
    {
      design: name,
      test,
      rate: stage.rate,
      requests,
      good: stage.good / requests,
      refused,
      failed: failed + broken,
      meanMs: stage.latency.mean,
      p99Ms: stage.latency.p99,
      throughput: stage.throughput,
      kept: generator.late === 0 && generator.dropped === 0 && (generator.lagMs.p99 ?? 0) < settings.lagMs,
    },
  ];
}

/** The most answers a second of each system, over all its rates. */
export function mostPerSecond(points: readonly Point[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const { design, throughput } of points) most.set(design, Math.max(throughput, most.get(design) ?? 0));
  return most;
}
