/** When did requests come once upon a time, and how large were they? The same file that `ragscale simulate` reads. */
import type { Size } from './plan.ts';

export interface Trace {
  /** From the first request, ascending. */
  readonly timesMs: readonly number[];
  /** Of each request, where the file says it. */
  readonly sizes: readonly Size[];
}

/** A trace that cannot be read; the message names the line and what to write there. */
export class InvalidTraceError extends Error {
  override readonly name = 'InvalidTraceError';
}

/**
 * A line for each request. Times in the column `TIMESTAMP`, or in the first one where none is called so: ISO 8601 with a space or a T, any number
 * of decimals, UTC unless it says otherwise; or seconds. `ContextTokens` and `GeneratedTokens` where they are there. @throws InvalidTraceError
 */
export function parseTrace(csv: string): Trace {
  const lines = csv.replace(/^\uFEFF/, '').split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === '') lines.pop();
  const header = cellsOf(lines[0] ?? '').map((name) => name.toLowerCase());
  const hasHeader = timeOf(header[0] ?? '') === undefined;
  const columns = {
    time: hasHeader ? Math.max(0, header.indexOf('timestamp')) : 0,
    prompt: hasHeader ? header.indexOf('contexttokens') : -1,
    answer: hasHeader ? header.indexOf('generatedtokens') : -1,
  };
  const rows = lines.slice(hasHeader ? 1 : 0).map((line, index) => {
    const number = index + (hasHeader ? 2 : 1);
    const cells = cellsOf(line);
    if (cells.length !== header.length) {
      throw new InvalidTraceError(`line ${number}: ${cells.length} cells where line 1 has ${header.length}`);
    }
    const at = timeOf(cells[columns.time]!);
    if (at === undefined) {
      const given = JSON.stringify(cells[columns.time]);
      throw new InvalidTraceError(`line ${number}: ${given} is no time; write 2023-11-16 18:15:46.680 or seconds`);
    }
    const promptTokens = tokensOf(cells[columns.prompt], number);
    const maxTokens = tokensOf(cells[columns.answer], number);
    const size: Size = {
      ...(promptTokens === undefined ? {} : { promptTokens }),
      // A row can say that nothing was generated; a request asks for one token at least.
      ...(maxTokens === undefined ? {} : { maxTokens: Math.max(1, maxTokens) }),
    };
    return { at, size };
  });
  if (rows.length === 0) throw new InvalidTraceError('no request; write one line for each, with its time');
  rows.sort((a, b) => a.at - b.at);
  const sized = columns.prompt >= 0 || columns.answer >= 0;
  return {
    timesMs: rows.map(({ at }) => at - rows[0]!.at),
    sizes: sized ? rows.map(({ size }) => size) : [],
  };
}

/** The same requests in another time: all gaps longer or shorter by the same factor. */
export function squeezed(trace: Trace, durationMs: number): Trace {
  const lasts = trace.timesMs.at(-1)!;
  if (lasts === 0) return trace;
  return { ...trace, timesMs: trace.timesMs.map((at) => (at * durationMs) / lasts) };
}

function cellsOf(line: string): string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

/** @returns milliseconds */
function timeOf(cell: string): number | undefined {
  if (cell !== '' && Number.isFinite(Number(cell))) return Number(cell) * 1000;
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?$/.exec(cell);
  const whole = parts === null ? Number.NaN : Date.parse(`${parts[1]}T${parts[2]}${parts[4] ?? 'Z'}`);
  return Number.isNaN(whole) ? undefined : whole + 1000 * Number(parts?.[3] ?? 0);
}

function tokensOf(cell: string | undefined, line: number): number | undefined {
  if (cell === undefined) return undefined;
  const tokens = Number(cell);
  if (cell === '' || !Number.isInteger(tokens) || tokens < 0) {
    throw new InvalidTraceError(`line ${line}: ${JSON.stringify(cell)} is no number of tokens; write one from 0 on`);
  }
  return tokens;
}
