/** How long is `1m30s`? Durations as they stand in a resource, and as people read them. */

const FORM = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$/;
const PART = /([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** @param text as Go writes durations, but of hours, minutes, seconds and milliseconds only; @returns undefined where it is none */
export function durationMs(text: string): number | undefined {
  if (!FORM.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(PART)) ms += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0);
  // 0.1 s is 100 ms and not 100.00000000000001.
  return Number(ms.toFixed(6));
}

/** In the unit that a person would choose: `300ms`, `2s`, `90s`, `5m`. */
export function durationText(ms: number): string {
  const [unit = 'ms', size = 1] =
    Object.entries(UNITS_MS)
      .reverse()
      .find(([, size]) => ms >= size && Number.isInteger(ms / size)) ?? [];
  if (ms >= 1_000 && unit === 'ms') return `${Number((ms / 1_000).toPrecision(12))}s`;
  return `${Number((ms / size).toPrecision(12))}${unit}`;
}
