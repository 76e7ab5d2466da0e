/** Which requests come to the cluster and to the simulator? The same ones: those of a recorded hour, in fewer minutes, or the first of them. */
import { readFileSync } from 'node:fs';
import type { Arrivals } from '@ragscale/scaling/arrivals/arrivals';
import { parseTrace } from '@ragscale/scaling/arrivals/trace';

const MINUTE_MS = 60_000;

export interface Replay {
  /** As both read it. */
  readonly csv: string;
  readonly arrivals: Arrivals;
  /** Of an answer, on average. */
  readonly meanTokens: number;
}

/**
 * @param wholeMinutes into which the recorded time is squeezed @param minutes how much of that is replayed, from its beginning
 * @throws InvalidTraceError, RangeError where the trace does not say how long answers were
 */
export function replayOf(file: string, wholeMinutes: number, minutes: number): Replay {
  const { timesMs, durationMs, tokens } = parseTrace(readFileSync(file, 'utf8'));
  if (tokens === undefined) throw new RangeError(`${file} has no column GeneratedTokens`);
  const factor = (wholeMinutes * MINUTE_MS) / durationMs;
  const lines: string[] = [];
  let sum = 0;
  timesMs.forEach((ms, index) => {
    const at = ms * factor;
    if (at >= minutes * MINUTE_MS) return;
    lines.push(`${(at / 1_000).toFixed(4)},${tokens[index]}`);
    sum += tokens[index]!;
  });
  const csv = `TIMESTAMP,GeneratedTokens\n${lines.join('\n')}\n`;
  return { csv, arrivals: parseTrace(csv), meanTokens: sum / lines.length };
}
