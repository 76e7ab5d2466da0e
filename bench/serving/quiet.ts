/** Was the machine the bench's own while it measured? If not, again; the quietest run stands. */
import type { Run } from './load.ts';

/** Processors that other programs may keep busy: what a system at rest needs, and some. */
export const QUIET_PROCESSORS = 0.15;

export function processorsTaken({ cpu, window }: Run): number {
  return (cpu.others * 1000) / (window.to - window.from);
}

export async function quietly(
  retries: number,
  measure: () => Promise<Run>,
  onNoise: (taken: number) => void,
): Promise<Run> {
  let best = await measure();
  for (let retry = 0; retry < retries && processorsTaken(best) > QUIET_PROCESSORS; retry++) {
    onNoise(processorsTaken(best));
    const run = await measure();
    if (processorsTaken(run) < processorsTaken(best)) best = run;
  }
  return best;
}
