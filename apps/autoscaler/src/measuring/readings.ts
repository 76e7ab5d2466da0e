/** What does a number that was asked for say? A value, or which of the ways to have none. */
import type { Reading, WindowedReading } from '@ragscale/scaling/observation';

export const EMPTY: Reading = { kind: 'empty' };
export const FAILED: Reading = { kind: 'failed' };

/** @param number undefined where there is no series; nothing that is counted is below 0 or without end: such a number is a fault */
export function readingOf(number: number | undefined): Reading {
  if (number === undefined) return EMPTY;
  if (Number.isNaN(number)) return { kind: 'nan' };
  return number >= 0 && Number.isFinite(number) ? { kind: 'value', value: number } : FAILED;
}

/** A number that can be counted with; undefined where it cannot. */
export function countOf(number: number | undefined): number | undefined {
  return number !== undefined && number >= 0 && Number.isFinite(number) ? number : undefined;
}

/** One signal over each window. */
export function windowed(windowsMs: readonly number[], read: (windowMs: number) => Reading): WindowedReading[] {
  return windowsMs.map((windowMs) => ({ windowMs, reading: read(windowMs) }));
}
