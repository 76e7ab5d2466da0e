/** What happens to one server in one round? It is started, warmed up, measured under closed and open loops, and stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import { randomIntegers } from '@ragscale/model-builder/random-values';
import { ask, type Target } from './client.ts';
import { closedLoop, type Load, openLoop, type Run } from './load.ts';
import { type Plan, pointsInRound, pointsOf, type RatePoint, secondsOf } from './plan.ts';
import { quietly } from './quiet.ts';
import { poissonArrivals } from './schedule.ts';
import { type ServerCommand, ServerProcess } from './server-process.ts';
import { summarize } from './summary.ts';
import type { System } from './systems.ts';
import { type Outputs, questions } from './workload.ts';

const TIMEOUT_MS = 60_000;
/** Questions that every system is asked first, one by one; their answers show whether all compute the same. */
const COMPARED = { questions: 6, tokens: 16 };
const WARM_UP_TOKENS = 8;
/** Lets a queue and a server's own housekeeping end before the next load. */
const PAUSE_MS = 300;

export interface ComparedAnswer {
  readonly query: string;
  readonly sources: readonly { readonly text: string }[];
  readonly result: string;
}

export interface Visit {
  readonly startSeconds: number;
  readonly streams: boolean;
  readonly compared: readonly ComparedAnswer[];
  readonly saturation: Run;
  /** The same with answers of different lengths: in the last round, of servers with more than one slot. */
  readonly mixed: Run | undefined;
  readonly idle: Run;
  readonly points: readonly { readonly point: RatePoint; readonly run: Run }[];
}

export interface VisitOptions {
  readonly system: System;
  readonly command: ServerCommand;
  readonly plan: Plan;
  readonly round: number;
  /** Requests a second as an earlier round found them, so that all rounds measure at the same rates. */
  readonly saturation: number | undefined;
  readonly onProgress: (what: string) => void;
}

export async function visit({ system, command, plan, round, saturation, onProgress }: VisitOptions): Promise<Visit> {
  onProgress('starts');
  const begin = performance.now();
  const server = await ServerProcess.start(command);
  try {
    const startSeconds = (performance.now() - begin) / 1000;
    const whole = { url: server.url, stream: false, timeoutMs: TIMEOUT_MS };
    let phase = 0;
    // Every phase of a visit has its own questions; another visit's are the same as long as nothing is measured again.
    const load = (target: Target, outputs: Outputs): Load => ({
      target,
      questions: questions(outputs, 1000 * (round + 1) + phase++),
      cpu: server.cpu,
    });
    const clients = 2 * system.slots;
    const measure = async (what: string, once: () => Promise<Run>): Promise<Run> => {
      onProgress(what);
      const run = await quietly(plan.retries, once, (taken) => {
        onProgress(`${what} again: other programs took ${taken.toFixed(2)} processors`);
      });
      await sleep(PAUSE_MS);
      return run;
    };

    onProgress('warms up');
    const compared = await compareAndWarmUp(whole, clients);
    const streams = await canStream(whole);
    const streamed = { ...whole, stream: streams };
    const saturated = await measure('saturation', () =>
      closedLoop(load(whole, 'equal'), clients, plan.saturationSeconds),
    );
    const mixed =
      plan.mixedLengths && system.slots > 1 && round === plan.rounds - 1
        ? await measure('mixed lengths', () => closedLoop(load(whole, 'mixed'), clients, plan.saturationSeconds))
        : undefined;
    const idle = await measure('one client', () => closedLoop(load(streamed, 'equal'), 1, plan.idleSeconds));
    const answerSeconds = summarize([idle]).latency.p50 / 1000;

    const points: Visit['points'][number][] = [];
    const all = pointsOf(plan, saturation ?? summarize([saturated]).requestsPerSecond, system.curve);
    for (const point of pointsInRound(all, round, plan.rounds)) {
      const { leadIn, window } = secondsOf(plan, point, answerSeconds);
      const run = await measure(`${point.rate.toFixed(2)} requests/s`, () => {
        const draw = randomIntegers(1000 * (round + 1) + phase);
        const arrivals = poissonArrivals(point.rate, leadIn + window, () => draw(2 ** 32) / 2 ** 32);
        return openLoop(load(streamed, 'equal'), arrivals, leadIn * 1000, (leadIn + window) * 1000);
      });
      points.push({ point, run });
    }
    return { startSeconds, streams, compared, saturation: saturated, mixed, idle, points };
  } finally {
    await server.stop();
  }
}

/** @throws Error when a question is not answered, or with another number of tokens than asked for */
async function compareAndWarmUp(target: Target, clients: number): Promise<ComparedAnswer[]> {
  const compared: ComparedAnswer[] = [];
  const asked = questions('equal', 1);
  const next = (max_tokens: number) => ({ ...asked.next().value, max_tokens });
  for (let i = 0; i < COMPARED.questions; i++) {
    const { status, body } = await ask(target, next(COMPARED.tokens));
    if (status !== 200) throw new Error(`${target.url} answered ${status}: ${body}`);
    const answer = JSON.parse(body) as ComparedAnswer & { usage?: { completion_tokens?: number } };
    const tokens = answer.usage?.completion_tokens ?? COMPARED.tokens;
    if (tokens !== COMPARED.tokens) throw new Error(`${target.url} wrote ${tokens} tokens, not ${COMPARED.tokens}`);
    compared.push(answer);
  }
  const warm = await Promise.all(Array.from({ length: clients }, () => ask(target, next(WARM_UP_TOKENS))));
  const failed = warm.find(({ status }) => status !== 200);
  if (failed !== undefined) throw new Error(`${target.url} answered ${failed.status}: ${failed.body}`);
  return compared;
}

/** @throws Error when a stream has another number of tokens than asked for */
async function canStream(target: Target): Promise<boolean> {
  const question = { ...questions('equal', 2).next().value, max_tokens: WARM_UP_TOKENS };
  const { status, firstTokenAt, body } = await ask({ ...target, stream: true }, question);
  if (status !== 200 || firstTokenAt === undefined) return false;
  const tokens = Number(/"completion_tokens":\s*(\d+)/.exec(body)?.[1]);
  if (tokens !== WARM_UP_TOKENS) throw new Error(`${target.url} streamed ${tokens} tokens, not ${WARM_UP_TOKENS}`);
  return true;
}
