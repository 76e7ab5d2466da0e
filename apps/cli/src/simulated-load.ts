/** Which requests are simulated? Those of a trace, as often as asked, or of a load with a name. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Arrivals } from '@ragscale/scaling/arrivals/arrivals';
import { type LoadName, NAMED_LOADS } from '@ragscale/scaling/arrivals/named-loads';
import { InvalidTraceError, parseTrace, repeatTrace, scaleTrace } from '@ragscale/scaling/arrivals/trace';

/** Copies of a request of a trace are so far from it at most: what changes from minute to minute stays. */
const COPY_JITTER_MS = 5_000;

/** More do not fit in memory beside what is kept of each. */
const MOST_REQUESTS = 2e7;

export interface LoadFlags {
  readonly trace?: string;
  readonly load?: LoadName;
  readonly rateFactor: number;
  readonly rate: number;
  readonly durationMs?: number;
  readonly sizes: 'measured' | 'tokens';
}

export interface SimulatedLoad {
  readonly name: string;
  arrivals(random: () => number): Arrivals;
}

export const DEFAULT_DURATION_MS = 3_600_000;

/** @throws InvalidTraceError */
export function loadOf({ trace: file, load: name, rateFactor, rate, durationMs, sizes }: LoadFlags): SimulatedLoad {
  if (file === undefined) {
    const load = name ?? 'poisson';
    const parts = { rate, durationMs: durationMs ?? DEFAULT_DURATION_MS };
    refuseTooMany((rate * parts.durationMs) / 1_000);
    return { name: load, arrivals: (random) => NAMED_LOADS[load].arrivals(parts, random) };
  }
  const trace = readTrace(file);
  const times = durationMs === undefined ? 1 : durationMs / trace.durationMs;
  refuseTooMany(trace.timesMs.length * rateFactor * times);
  if (sizes === 'tokens' && trace.tokens === undefined) {
    throw new InvalidTraceError(`${file} has no column GeneratedTokens for --sizes tokens`);
  }
  const whole = durationMs === undefined ? trace : repeatTrace(trace, durationMs);
  return {
    name: file,
    arrivals: (random) => scaleTrace(whole, { factor: rateFactor, jitterMs: COPY_JITTER_MS }, random),
  };
}

function readTrace(file: string): Arrivals {
  if (!existsSync(file)) throw new InvalidTraceError(`${file} does not exist`);
  if (!statSync(file).isFile()) throw new InvalidTraceError(`${file} is not a file`);
  try {
    return parseTrace(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof InvalidTraceError) throw new InvalidTraceError(`${file}, ${error.message}`);
    throw error;
  }
}

function refuseTooMany(requests: number): void {
  if (requests <= MOST_REQUESTS) return;
  throw new InvalidTraceError(
    `${requests.toExponential(1)} requests are too many; give a shorter --duration or a lower rate, for ${MOST_REQUESTS} at most`,
  );
}
