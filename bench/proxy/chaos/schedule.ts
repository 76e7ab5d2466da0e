/** What is done to which pod, and when? One thing at a time, so that all pods but one are always in good order. */

/** Killed in the middle of its work, asked to leave, frozen, or answering 500. */
export const FAULTS = ['kill', 'drain', 'freeze', 'fail'] as const;
export type Fault = (typeof FAULTS)[number];

export interface ChaosEvent {
  readonly fault: Fault;
  readonly pod: number;
  /** Milliseconds from the start: when it begins, and when what was done is undone. */
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ChaosPlan {
  readonly seconds: number;
  readonly pods: number;
  /** How long a fault lasts, and how long all are left alone before the next. */
  readonly faultMs: number;
  readonly pauseMs: number;
}

/** As many events as there is time for: each fault as often as the others, to within one, in shuffled order; pods at random. */
export function chaosSchedule({ seconds, pods, faultMs, pauseMs }: ChaosPlan, random: () => number): ChaosEvent[] {
  const events: ChaosEvent[] = [];
  let bag: Fault[] = [];
  for (let fromMs = pauseMs; fromMs + faultMs + pauseMs <= seconds * 1000; fromMs += faultMs + pauseMs) {
    if (bag.length === 0) bag = shuffled(FAULTS, random);
    events.push({ fault: bag.pop()!, pod: Math.floor(random() * pods), fromMs, toMs: fromMs + faultMs });
  }
  return events;
}

function shuffled<Value>(values: readonly Value[], random: () => number): Value[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
