/** What becomes of requests through a proxy while its pods are killed, drained, frozen and broken? Load, faults, and what each came to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { uniform } from '../../lib/uniform.ts';
import { poissonArrivals } from '../../serving/schedule.ts';
import { Client, type Outcome, type Question } from '../client.ts';
import { openLoop } from '../open-loop.ts';
import type { Pods } from '../pods.ts';
import type { ChaosEvent, Fault } from './schedule.ts';

export interface ChaosLoad {
  /** Requests a second, at the times of a Poisson process. */
  readonly rate: number;
  readonly seconds: number;
  /** The share of requests that ask for a stream. */
  readonly streamShare: number;
  /** Mean of the exponential service time of the others. */
  readonly meanServiceMs: number;
  readonly tokens: number;
  readonly tokenMs: number;
  readonly timeoutMs: number;
  readonly seed: number;
}

export interface ChaosRecord extends Outcome {
  readonly stream: boolean;
  /** Milliseconds from the start of the load. */
  readonly dueMs: number;
  readonly endMs: number;
}

/** 200 a second over four pods of 32 slots: a third of what three of them can bear. */
export const CHAOS_LOAD: Omit<ChaosLoad, 'seconds'> = {
  rate: 200,
  streamShare: 0.4,
  meanServiceMs: 40,
  tokens: 20,
  tokenMs: 20,
  timeoutMs: 10_000,
  seed: 1,
};

export const CHAOS_PODS = { count: 4, slots: 32, queue: 64, drainDelayMs: 1000 } as const;

/** @param url the proxy's; @returns one record for each request, in the order they were due, when the last has ended and all pods are well */
export async function runChaos(
  url: string,
  pods: Pods,
  load: ChaosLoad,
  events: readonly ChaosEvent[],
): Promise<ChaosRecord[]> {
  const draw = uniform(load.seed + 1);
  const arrivals = poissonArrivals(load.rate, load.seconds, uniform(load.seed));
  const questions = arrivals.map((_, index) => questionOf(load, index, draw));
  const client = new Client();
  const start = performance.now();
  const faults = Promise.all(events.map((event) => apply(pods, event)));
  // One that goes wrong is thrown below, when the load is done.
  faults.catch(() => {});
  try {
    const records = await openLoop(arrivals, async (index): Promise<ChaosRecord> => {
      const question = questions[index]!;
      const outcome = await client.ask(url, question, { timeoutMs: load.timeoutMs });
      return { ...outcome, stream: question.stream, dueMs: arrivals[index]!, endMs: outcome.doneAt - start };
    });
    await faults;
    return records;
  } finally {
    client.close();
  }
}

function questionOf(load: ChaosLoad, index: number, draw: () => number): Question & { readonly stream: boolean } {
  const query = `Question ${index}?`;
  if (draw() < load.streamShare) return { query, stream: true, tokens: load.tokens, token_ms: load.tokenMs };
  return { query, stream: false, service_ms: -Math.log(1 - draw()) * load.meanServiceMs };
}

interface Deed {
  readonly begin: (pods: Pods, pod: number) => Promise<void> | void;
  readonly undo: (pods: Pods, pod: number) => Promise<void> | void;
}

const DEEDS: Readonly<Record<Fault, Deed>> = {
  kill: { begin: (pods, pod) => pods.kill(pod), undo: (pods, pod) => pods.restart(pod) },
  drain: { begin: (pods, pod) => pods.drain(pod), undo: (pods, pod) => pods.restart(pod) },
  freeze: { begin: (pods, pod) => pods.freeze(pod), undo: (pods, pod) => pods.thaw(pod) },
  fail: {
    begin: (pods, pod) => pods.control(pod, { failing: true }),
    undo: (pods, pod) => pods.control(pod, { failing: false }),
  },
};

async function apply(pods: Pods, { fault, pod, fromMs, toMs }: ChaosEvent): Promise<void> {
  await sleep(fromMs);
  const undoAt = performance.now() + toMs - fromMs;
  await DEEDS[fault].begin(pods, pod);
  await sleep(Math.max(0, undoAt - performance.now()));
  // A fault that should last for ever.
  if (Number.isFinite(toMs)) await DEEDS[fault].undo(pods, pod);
}
