/** How is a server put under load? Open loop: at times that no answer can delay. Closed loop: so many clients, each asking on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuSample } from '../lib/process-cpu.ts';
import { ask, type Target } from './client.ts';
import type { RagQuestion } from './workload.ts';

export interface RequestRecord {
  /** When it should have left and when it did; milliseconds of `performance.now()`, as all times here. */
  readonly dueAt: number;
  readonly sentAt: number;
  readonly firstTokenAt: number | undefined;
  readonly doneAt: number;
  /** 0: no complete answer. */
  readonly status: number;
  readonly tokens: number;
}

/** The stretch that counts: what comes before warms up, what comes after lets the last ones finish. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Run {
  readonly records: readonly RequestRecord[];
  readonly window: Window;
  /** CPU seconds within the window. */
  readonly cpu: CpuSample;
}

export interface Load {
  readonly target: Target;
  readonly questions: Iterator<RagQuestion, never>;
  readonly cpu: () => CpuSample;
}

/** @param arrivals milliseconds from the start, ascending; those before `leadInMs` do not count */
export async function openLoop(load: Load, arrivals: readonly number[], leadInMs: number, endMs: number): Promise<Run> {
  const start = performance.now();
  const window = { from: start + leadInMs, to: start + endMs };
  const used = cpuWithin(load, window);
  const pending: Promise<RequestRecord>[] = [];
  for (const arrival of arrivals) {
    await sleepUntil(start + arrival);
    pending.push(record(load, start + arrival));
  }
  return { records: await Promise.all(pending), window, cpu: await used };
}

/**
 * `clients` ask one question after the other, twice as many as the server answers at once. The window opens when half of them have an
 * answer: from then on every question waits as long as the next. It closes after `seconds`, or later when fewer than that many
 * answers have come within it.
 */
export async function closedLoop(load: Load, clients: number, seconds: number): Promise<Run> {
  const records: RequestRecord[] = [];
  const turnover = Math.ceil(clients / 2);
  let window: Window = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  let before: CpuSample | undefined;
  let cpu: CpuSample | undefined;
  const isOver = () => Number.isFinite(window.to);
  const noteAnswer = (now: number) => {
    if (!Number.isFinite(window.from)) {
      if (records.length < turnover) return;
      window = { ...window, from: now };
      before = load.cpu();
    } else if (!isOver() && now - window.from >= seconds * 1000 && records.length >= 2 * turnover) {
      window = { ...window, to: now };
      cpu = difference(load.cpu(), before!);
    }
  };
  const client = async () => {
    while (!isOver()) {
      records.push(await record(load, performance.now()));
      noteAnswer(performance.now());
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { records, window, cpu: cpu! };
}

async function record({ target, questions }: Load, dueAt: number): Promise<RequestRecord> {
  const question = questions.next().value;
  const sentAt = performance.now();
  const { status, firstTokenAt, doneAt } = await ask(target, question);
  return { dueAt, sentAt, firstTokenAt, doneAt, status, tokens: question.max_tokens };
}

export async function cpuWithin({ cpu }: Pick<Load, 'cpu'>, { from, to }: Window): Promise<CpuSample> {
  await sleepUntil(from);
  const before = cpu();
  await sleepUntil(to);
  return difference(cpu(), before);
}

function difference(after: CpuSample, before: CpuSample): CpuSample {
  return { server: after.server - before.server, others: after.others - before.others };
}

async function sleepUntil(time: number): Promise<void> {
  const wait = time - performance.now();
  if (wait > 0) await sleep(wait);
}
