/** How is the load sent, and what became of every request? Poisson arrivals, a share of them streams; none is left out of the account. */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { uniform } from '../../bench/lib/uniform.ts';
import { poissonArrivals } from '../../bench/serving/schedule.ts';
import type { RequestRecord } from '../e2e/support/account.ts';
import { ask, type Question } from '../e2e/support/ask.ts';
import { type Death, mayAskAgain } from './asking-again.ts';

export interface SoakRecord extends RequestRecord {
  /** Milliseconds from the start of the load. */
  readonly dueMs: number;
  /** How often it was asked a second time, because its proxy had been killed. */
  readonly askedAgain: number;
}

export interface SoakLoad {
  readonly url: string;
  /** Requests a second. */
  readonly rate: number;
  readonly minutes: number;
  readonly seed: number;
  /** Of proxies, by `performance.now()`; there are more of them while the load runs. */
  readonly deaths: readonly Death[];
  readonly onRecord: (record: SoakRecord) => void;
  /** Ends it early: what has not left stays. */
  readonly signal: AbortSignal;
}

const STREAMED = 0.4;
const MAX_TOKENS = 24;
/** Longer than the deadline of a request: who has not answered by then has forgotten it. */
const PATIENCE_MS = 90_000;
/** Also on a machine that has much else to do. */
const CONNECT_MS = 30_000;
const PAUSE_MS = 500;
const MOST_TIMES = 200;

const SUBJECTS = ['animals can hover', 'birds fly backwards', 'animals are domesticated', 'mammals are tame'];

/** Resolves when the last request has ended. */
export async function sendLoad(load: SoakLoad): Promise<void> {
  const arrivals = poissonArrivals(load.rate, load.minutes * 60, uniform(load.seed));
  const draw = uniform(load.seed + 1);
  const questions = arrivals.map((_, index) => questionOf(index, draw));
  const agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS, connect: { timeout: CONNECT_MS } });
  const start = performance.now();
  const pending: Promise<void>[] = [];
  try {
    for (const [index, dueMs] of arrivals.entries()) {
      const waitMs = start + dueMs - performance.now();
      if (waitMs > 0) await delay(waitMs, undefined, { signal: load.signal }).catch(() => undefined);
      if (load.signal.aborted) break;
      pending.push(send(load, agent, questions[index] as Question, { start, dueMs }));
    }
    await Promise.all(pending);
  } finally {
    await agent.destroy();
  }
}

async function send(
  load: SoakLoad,
  agent: Agent,
  question: Question,
  { start, dueMs }: { readonly start: number; readonly dueMs: number },
): Promise<void> {
  const dueAt = start + dueMs;
  const sentAt = performance.now();
  const { reply, askedAgain } = await askUntilHeard(load, agent, question);
  // What nobody will look at is not kept: there may be a hundred thousand of them.
  const isWell = reply.outcome === 'answered';
  load.onRecord({
    ...reply,
    ...(isWell && { body: '', headers: {} }),
    streamed: question.stream,
    dueAt: performance.timeOrigin + dueAt,
    dueMs,
    lagMs: sentAt - dueAt,
    durationMs: performance.now() - dueAt,
    askedAgain,
  });
}

async function askUntilHeard({ url, deaths }: SoakLoad, dispatcher: Agent, question: Question) {
  for (let askedAgain = 0; ; askedAgain++) {
    const sentAt = performance.now();
    const reply = await ask({ url, dispatcher }, question);
    const isOver = askedAgain === MOST_TIMES || !mayAskAgain(reply, sentAt, performance.now(), deaths);
    if (isOver) return { reply, askedAgain };
    await delay(PAUSE_MS);
  }
}

/** No two alike, so that nothing is answered from a cache. */
function questionOf(index: number, draw: () => number): Question {
  const subject = SUBJECTS[Math.floor(draw() * SUBJECTS.length)];
  return { query: `Which ${subject}? (${index})`, max_tokens: MAX_TOKENS, stream: draw() < STREAMED };
}
