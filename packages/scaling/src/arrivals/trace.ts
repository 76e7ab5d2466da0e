/** When did requests come, once upon a time? Recorded traces, and the same load made larger or smaller. */
import type { Arrivals } from './arrivals.ts';

/** A trace that cannot be read; the message names the line and what to write there. */
export class InvalidTraceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidTraceError';
  }
}

/**
 * A trace as CSV: times in the column `TIMESTAMP`, or in the first one where no column is called so (as ISO 8601, with a space or a T, any number
 * of decimals, UTC unless it says otherwise; or seconds as a number), and perhaps `GeneratedTokens`; other columns are ignored. A first line that
 * begins with a time is a request, not a header. Times are moved so that the first is 0; the load ends with the last. @throws InvalidTraceError
 */
export function parseTrace(csv: string): Arrivals {
  const lines = csv.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const header = (lines[0] ?? '').split(',').map((name) => unquoted(name).toLowerCase());
  if (header[0] === '' || header[0] === undefined) {
    throw new InvalidTraceError('line 1: nothing; write a header such as TIMESTAMP,GeneratedTokens');
  }
  const hasHeader = millisecondsOf(unquoted(lines[0]!.split(',')[0]!)) === undefined;
  const timeColumn = hasHeader ? Math.max(0, header.indexOf('timestamp')) : 0;
  const tokensColumn = hasHeader ? header.indexOf('generatedtokens') : -1;
  const first = hasHeader ? 1 : 0;
  if (lines.length === first) throw new InvalidTraceError('line 2: no request; write one line for each, with its time');
  const rows = lines.slice(first).map((line, index) => {
    const cells = line.split(',');
    const number = index + first + 1;
    if (cells.length !== header.length) {
      throw new InvalidTraceError(
        `line ${number}: ${cells.length} cells where line 1 has ${header.length}; write as many`,
      );
    }
    const tokens = tokensColumn < 0 ? 0 : tokensOf(unquoted(cells[tokensColumn]!), number);
    return { at: timeOf(unquoted(cells[timeColumn]!), number), tokens };
  });
  rows.sort((a, b) => a.at - b.at);
  const start = rows[0]!.at;
  const timesMs = Float64Array.from(rows, ({ at }) => at - start);
  // The end is after the last one by as much as they are apart on average.
  const durationMs = timesMs.at(-1)! + Math.max(1, timesMs.at(-1)! / timesMs.length);
  return tokensColumn < 0
    ? { timesMs, durationMs }
    : { timesMs, durationMs, tokens: Float64Array.from(rows, ({ tokens }) => tokens) };
}

function unquoted(cell: string): string {
  return cell.trim().replace(/^"(.*)"$/, '$1');
}

/** The year 5138 in seconds, 1973 in milliseconds. */
const NO_SECONDS = 1e11;

function timeOf(cell: string, line: number): number {
  const ms = millisecondsOf(cell);
  if (ms === undefined) {
    throw new InvalidTraceError(
      `line ${line}: ${JSON.stringify(cell)} is no time; write 2023-11-16 18:15:46.680 or seconds`,
    );
  }
  if (ms >= 1000 * NO_SECONDS) {
    throw new InvalidTraceError(`line ${line}: ${cell} is too large for seconds; write ${Number(cell) / 1000}`);
  }
  return ms;
}

function millisecondsOf(cell: string): number | undefined {
  if (cell !== '' && Number.isFinite(Number(cell))) return Number(cell) * 1000;
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?$/.exec(cell);
  const whole = parts === null ? Number.NaN : Date.parse(`${parts[1]}T${parts[2]}${parts[4] ?? 'Z'}`);
  return Number.isNaN(whole) ? undefined : whole + 1000 * Number(parts?.[3] ?? 0);
}

function tokensOf(cell: string, line: number): number {
  const tokens = Number(cell);
  if (cell === '' || !Number.isFinite(tokens) || tokens < 0) {
    throw new InvalidTraceError(`line ${line}: ${JSON.stringify(cell)} is no number of tokens; write one from 0 on`);
  }
  return tokens;
}

/**
 * The same load at `factor` times its rate, at the same times of the day. Whole copies, each request moved by up to `jitterMs` either way, since
 * five people do not ask in the same moment; of the rest a share that chance chooses. Bursts longer than the jitter stay what they were;
 * with a factor of 1 nothing changes.
 */
export function scaleTrace(
  arrivals: Arrivals,
  { factor, jitterMs }: { factor: number; jitterMs: number },
  random: () => number,
): Arrivals {
  const { timesMs, durationMs, tokens } = arrivals;
  const copies = Math.floor(factor);
  const rest = factor - copies;
  const made: { at: number; tokens: number }[] = [];
  timesMs.forEach((at, index) => {
    const count = copies + (rest > 0 && random() < rest ? 1 : 0);
    for (let copy = 0; copy < count; copy++) {
      const moved = copy === 0 ? at : reflected(at + jitterMs * (2 * random() - 1), durationMs);
      made.push({ at: moved, tokens: tokens?.[index] ?? 0 });
    }
  });
  made.sort((a, b) => a.at - b.at);
  const scaled = { timesMs: Float64Array.from(made, ({ at }) => at), durationMs };
  return tokens === undefined ? scaled : { ...scaled, tokens: Float64Array.from(made, (one) => one.tokens) };
}

function reflected(at: number, durationMs: number): number {
  const inside = at < 0 ? -at : at >= durationMs ? 2 * durationMs - at : at;
  return Math.min(Math.max(0, inside), durationMs * (1 - Number.EPSILON));
}

/** Again and again until `durationMs`, or cut there. */
export function repeatTrace(arrivals: Arrivals, durationMs: number): Arrivals {
  const { timesMs, tokens } = arrivals;
  const times: number[] = [];
  const allTokens: number[] = [];
  for (let start = 0; start < durationMs; start += arrivals.durationMs) {
    timesMs.forEach((at, index) => {
      if (start + at >= durationMs) return;
      times.push(start + at);
      if (tokens !== undefined) allTokens.push(tokens[index]!);
    });
  }
  const repeated = { timesMs: Float64Array.from(times), durationMs };
  return tokens === undefined ? repeated : { ...repeated, tokens: Float64Array.from(allTokens) };
}
