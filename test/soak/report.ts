/** What is written down about a run? A text to read, JSON to compute with. */

import type { FaultRecord } from './chaos.ts';
import { FAULTS, type FaultKind } from './faults.ts';
import type { SoakOptions } from './options.ts';
import type { PlannedFault } from './schedule.ts';
import { amount, type Findings, faultsDuring, type Verdict } from './verdict.ts';
import { WATCHED } from './watch.ts';

export interface Report extends Findings {
  /** When it began. */
  readonly at: string;
  readonly options: SoakOptions;
  readonly system: string;
  readonly schedule: readonly PlannedFault[];
  /** What could not be done here, and why. */
  readonly impossible: readonly (readonly [FaultKind, string])[];
  /** What the system wrote of the requests that failed or were broken off. */
  readonly lines: readonly string[];
  readonly verdict: Verdict;
}

/** So many failures stand in the text; all are in the JSON. */
const MOST_FAILURES = 20;
const MOST_LINES = 40;

export function reportText(report: Report): string {
  const { options, verdict, faults, impossible, at, system } = report;
  const { account, latencies, checks, growth, askedAgain, lagP99 } = verdict;
  const lines = [
    `Soak of ${options.minutes} min, ${options.rate} requests/s, seed ${options.seed}, ${at}`,
    system,
    '',
    verdict.passed ? 'PASSED' : 'FAILED',
    ...checks.map(({ what, holds, found }) => `  ${holds ? 'yes' : 'NO '}  ${what}: ${found}`),
    '',
    'Requests',
    row('answered', account.answered),
    row('refused, with a reason', account.refused),
    row('broken off with an error event', account.broken),
    row('failed', account.failed),
    row('together', account.asked),
    row('of them asked again, since their proxy was killed', askedAgain),
    ...Object.entries(account.reasons).map(([reason, count]) => row(`  ${reason}`, count)),
    `  milliseconds to the last byte: p50 ${latencies.p50}, p95 ${latencies.p95}, p99 ${latencies.p99}, longest ${latencies.longest}`,
    `  sent late by (p99): ${lagP99.toFixed(0)} ms`,
    '',
    'Faults',
    ...faults.map(faultLine),
    ...impossible.map(([kind, why]) => `  not here: ${kind} (${FAULTS[kind].what}): ${why}`),
    '',
    'Growth from the middle of its life to the end (slope of the floor), and what is allowed',
    ...growth.map(
      ({ name, metric, grown, allowed, median, isFlat }) =>
        `  ${isFlat ? '   ' : 'NO '} ${name}, ${WATCHED[metric]}: ${amount(metric, grown)} of ${amount(metric, median)}, allowed ${amount(metric, allowed)}`,
    ),
    ...failureLines(report),
  ];
  return `${lines.join('\n')}\n`;
}

function row(what: string, count: number): string {
  return `  ${what.padEnd(52)}${String(count).padStart(8)}`;
}

function faultLine({ kind, fromMs, toMs, victim, leftOut, error }: FaultRecord): string {
  const when = `${seconds(fromMs)} to ${seconds(toMs)}`;
  if (leftOut !== undefined) return `  ${seconds(fromMs)}: ${kind}, left out: ${leftOut}`;
  return `  ${when}: ${kind} of ${victim || '?'}${error === undefined ? '' : ` WENT WRONG: ${error}`}`;
}

function failureLines({ records, faults, lines: logged }: Report): string[] {
  const failed = records.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return [];
  const lines = failed.slice(0, MOST_FAILURES).map((record) => {
    const { dueMs, durationMs, status, reason, requestId, streamed } = record;
    const during = faultsDuring(record, faults).map(({ kind, victim }) => `${kind} of ${victim}`);
    const what = `${streamed ? 'stream' : 'answer'} due at ${seconds(dueMs)}, ended after ${Math.round(durationMs)} ms`;
    return `  ${what}: ${status} ${reason} (${requestId || 'no id'}); during ${during.join(', ') || 'nothing'}`;
  });
  const more = failed.length - lines.length;
  const said = logged.slice(0, MOST_LINES).map((line) => `  ${line}`);
  return ['', 'Failures', ...lines, ...(more > 0 ? [`  and ${more} more`] : []), 'Log', ...said];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
