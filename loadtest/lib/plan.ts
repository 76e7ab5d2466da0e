/** What is sent when? Every request of a run, decided before the first of them leaves. */

/** A stretch of a run that is reported by itself. */
export interface Stage {
  /** Such as `5/s`. */
  readonly name: string;
  /** Requests a second, as planned or on average. */
  readonly rate: number;
  /** Milliseconds from the start of the run. */
  readonly startMs: number;
  /** When the last request of the stage is due, or when the next would be. */
  readonly endMs: number;
  /** Index in the run of its first request. */
  readonly first: number;
  readonly requests: number;
}

/** What a request asks for beside its question; absent: as the settings say. */
export interface Size {
  /** Tokens of the question. */
  readonly promptTokens?: number;
  readonly maxTokens?: number;
}

export interface Plan {
  readonly stages: readonly Stage[];
  /** When each request leaves, in milliseconds from the start of the run, ascending. */
  readonly dueMs: readonly number[];
  /** Of each request, or none at all. */
  readonly sizes: readonly Size[];
  readonly durationMs: number;
}

export interface StageArrivals {
  readonly name: string;
  /** Requests a second, where there is such a number; absent, what they are on average. */
  readonly rate?: number;
  /** Milliseconds from the start of the stage, ascending. */
  readonly arrivalsMs: readonly number[];
  /** How long the stage is; absent, until its last request. */
  readonly durationMs?: number;
  readonly sizes?: readonly Size[];
}

/** One stage after the other. @param pauseMs between the end of one and the start of the next @throws RangeError when there is no request at all */
export function planOf(parts: readonly StageArrivals[], pauseMs = 0): Plan {
  const stages: Stage[] = [];
  const dueMs: number[] = [];
  let startMs = 0;
  for (const { name, rate, arrivalsMs, durationMs } of parts) {
    const lasts = durationMs ?? arrivalsMs.at(-1) ?? 0;
    const requests = arrivalsMs.length;
    const mean = lasts > 0 ? (1000 * requests) / lasts : 0;
    stages.push({ name, rate: rate ?? mean, startMs, endMs: startMs + lasts, first: dueMs.length, requests });
    for (const at of arrivalsMs) dueMs.push(startMs + at);
    startMs += lasts + pauseMs;
  }
  if (dueMs.length === 0) throw new RangeError('there is no request in this load: make it longer, or its rate higher');
  return { stages, dueMs, sizes: parts.flatMap(({ sizes = [] }) => sizes), durationMs: startMs - pauseMs };
}

/**
 * The most requests that can be under way at once when none of them takes longer than `withinMs`: as many as are due within that time. With so
 * many virtual users none is missing, whatever the server does.
 */
export function mostAtOnce(dueMs: readonly number[], withinMs: number): number {
  let most = 0;
  let oldest = 0;
  dueMs.forEach((due, index) => {
    while (due - dueMs[oldest]! > withinMs) oldest += 1;
    most = Math.max(most, index - oldest + 1);
  });
  return most;
}

/** Which stage request `index` belongs to. */
export function stageOf(stages: readonly Stage[], index: number): number {
  const place = stages.findLastIndex(({ first, requests }) => first <= index && requests > 0);
  return Math.max(0, place);
}
