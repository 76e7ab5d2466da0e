/** What does a run say on a terminal: before it begins, and when it has ended? */
import type { Outline, Report, StageResult } from './report.ts';
import type { Settings } from './settings.ts';

export function announcement(
  { target, streams }: Settings,
  { requests, stages, durationMs, virtualUsers }: Outline,
): string {
  const many = stages.length === 1 ? '' : ` in ${stages.length} stages`;
  const how = streams ? ' as streams' : '';
  return `${requests} requests${many} to ${target}${how} in ${spanOf(durationMs)}, with ${virtualUsers} virtual users`;
}

const COLUMNS = [
  'stage',
  'sent',
  'good',
  'answered',
  'refused',
  'broken',
  'failed',
  'per s',
  'mean',
  'p50',
  'p95',
  'p99',
  'max',
];

export function textOf(report: Report): string {
  const rows = [COLUMNS, ...report.stages.map(rowOf)];
  const { generator, total, reasons } = report;
  return [
    '',
    `${report.test}: ${report.name}, ${spanOf(1000 * report.ranS)}; latencies in milliseconds, good is answered within ${report.settings.objectiveMs}`,
    '',
    ...aligned(rows),
    '',
    ...partsLine(report),
    ...reasons.map(({ outcome, reason, count }) => `${outcome}: ${count} x ${reason}`),
    `${total.sent} of ${total.planned} requests were sent, ${generator.dropped} were not, ${generator.late} found no virtual user free ` +
      `(at most ${generator.mostInFlight} of ${generator.virtualUsers} were busy); 99 of 100 left within ${milliseconds(generator.lagMs.p99)} ms of their time`,
    ...report.stages
      .filter(({ carriedOver }) => carriedOver > 0)
      .map(
        ({ name, carriedOver }) =>
          `${name} began while ${carriedOver} requests of the stage before were under way: -e PAUSE=60s waits longer`,
      ),
    ...(generator.late > 0
      ? ['k6 did not keep up: -e VUS= for more virtual users, or a machine that has less to do']
      : []),
    ...report.thresholds
      .filter(({ holds }) => !holds)
      .map(({ metric, condition }) => `NOT MET: ${metric} ${condition}`),
    report.passed ? 'passed' : 'FAILED',
    '',
  ].join('\n');
}

function rowOf({ name, outcomes, good, throughput, latency }: StageResult): string[] {
  const { answered, refused, broken, failed } = outcomes;
  const counts = [answered + refused + broken + failed, good, answered, refused, broken, failed].map(String);
  const { mean, p50, p95, p99, max } = latency;
  return [name, ...counts, throughput.toFixed(1), ...[mean, p50, p95, p99, max].map(milliseconds)];
}

function partsLine({ total }: Report): string[] {
  const parts = Object.entries(total.serverTimeMs).map(([part, ms]) => `${part} ${milliseconds(ms)}`);
  const first =
    total.firstToken.count === 0
      ? []
      : [`first token: mean ${milliseconds(total.firstToken.mean)}, p99 ${milliseconds(total.firstToken.p99)}`];
  return [...first, ...(parts.length === 0 ? [] : [`by the server, mean: ${parts.join(', ')}`])];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
}

export function milliseconds(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-';
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

export function spanOf(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${(seconds / 60).toFixed(1)} min`;
}
