/** How is a run cut into pieces of time for its pictures? Into at most 60, each of a length that people count in. */

const MOST = 60;

const LENGTHS_S = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600];

export interface Windows {
  readonly lengthMs: number;
  readonly count: number;
}

export function windowsOf(durationMs: number): Windows {
  const lengthMs = 1_000 * (LENGTHS_S.find((seconds) => durationMs <= seconds * 1_000 * MOST) ?? LENGTHS_S.at(-1)!);
  return { lengthMs, count: Math.floor(durationMs / lengthMs) + 1 };
}
