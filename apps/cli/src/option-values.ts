/** What may stand behind an option? Numbers and durations, refused in one line that says what is expected. */
import { InvalidArgumentError } from 'commander';

export function numberIn(least: number, most: number, whole?: 'whole') {
  return (text: string): number => {
    const value = Number(text);
    const fits = text.trim() !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (!fits) throw new InvalidArgumentError(`a ${whole ? 'whole ' : ''}number from ${least} to ${most} is expected`);
    return value;
  };
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** @returns milliseconds */
export function durationIn(leastMs: number, mostMs: number) {
  return (text: string): number => {
    const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
    const ms = parts === null ? Number.NaN : Number(parts[1]) * UNIT_MS[parts[2] as keyof typeof UNIT_MS];
    if (!(ms >= leastMs && ms <= mostMs)) {
      throw new InvalidArgumentError(
        `a duration such as 500ms, 2s, 1.5m or 24h, from ${shownDuration(leastMs)} to ${shownDuration(mostMs)}, is expected`,
      );
    }
    return ms;
  };
}

/** As it would be given: 90 000 ms are 90s, 7 200 000 are 2h. */
export function shownDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const amount = ms / UNIT_MS[unit];
    if (amount >= 1 && Number.isInteger(amount)) return `${amount}${unit}`;
  }
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(1)}s` : `${Number(ms.toFixed(1))}ms`;
}
