/** Where are the marks of an axis, and what stands beside them? */

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** From 0 at `min` to 1 at `max`. */
  readonly place: (value: number) => number;
}

/** From 0, or a little less than the smallest, to a round number over the largest. */
export function linearAxis(label: string, values: readonly number[], min = 0): Axis {
  const largest = values.reduce((most, value) => Math.max(most, value), min);
  const step = roundStep((largest - min) / 5);
  const max = min + Math.max(1, Math.ceil((largest - min) / step - 1e-9)) * step;
  const ticks = Array.from({ length: Math.round((max - min) / step) + 1 }, (_, index) => min + index * step);
  return { label, min, max, ticks, place: (value) => (value - min) / (max - min) };
}

/** Powers of ten with 2 and 5 between them, while there are few. Values of 0 and below have no place. */
export function logAxis(label: string, values: readonly number[]): Axis {
  const positive = values.filter((value) => value > 0);
  const smallest = positive.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const largest = positive.reduce((most, value) => Math.max(most, value), 0);
  if (largest === 0) return logAxis(label, [1, 10]);
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(smallest)); power <= Math.ceil(Math.log10(largest)); power++) {
    for (const factor of [1, 2, 5]) all.push(factor * 10 ** power);
  }
  const from = Math.max(
    0,
    all.findLastIndex((tick) => tick <= smallest * (1 + 1e-9)),
  );
  const to = Math.max(
    from + 1,
    all.findIndex((tick) => tick >= largest * (1 - 1e-9)),
  );
  const within = all.slice(from, to + 1);
  const [min, max] = [within[0]!, within.at(-1)!];
  const span = Math.log(max / min);
  const ticks = within.length <= 9 ? within : within.filter((tick) => isPowerOfTen(tick));
  return { label, min, max, ticks, place: (value) => Math.log(value / min) / span };
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
function roundStep(step: number): number {
  if (step <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9)) ?? 10);
}

function isPowerOfTen(value: number): boolean {
  return Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9;
}

/** As short as it can be: 1500, 2.5, 0.02. */
export function tickText(value: number): string {
  return String(Number(value.toPrecision(6)));
}
