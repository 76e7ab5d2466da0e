/** How is one question asked, and what of its answer is counted? */

import { check } from 'k6';
import http, { type RefinedResponse } from 'k6/http';
import { Counter, Trend } from 'k6/metrics';
import { METRICS, STATUSES } from './measures.ts';
import { endingOf } from './outcome.ts';
import type { Size } from './plan.ts';
import { lengthened } from './questions.ts';
import type { Settings } from './settings.ts';

const duration = new Trend(METRICS.duration, true);
const firstToken = new Trend(METRICS.firstToken, true);
const serverTime = new Trend(METRICS.serverTime, true);
const outcomes = new Counter(METRICS.outcomes);
const good = new Counter(METRICS.good);
const lag = new Trend(METRICS.lag, true);
const late = new Counter(METRICS.late);
const inFlight = new Trend(METRICS.inFlight);
const elapsed = new Trend(METRICS.elapsed, true);
const carriedOver = new Trend(METRICS.carriedOver);

export type Sent = RefinedResponse<'text'>;

/** Sends a question and waits for the end of its answer. */
export function send(settings: Settings, question: string, { promptTokens, maxTokens }: Size): Sent {
  const { target, streams, questionTokens, apiKey, variant, deadlineMs, timeoutMs } = settings;
  const tokens = settings.maxTokens === undefined ? maxTokens : Math.min(maxTokens ?? Infinity, settings.maxTokens);
  const query = promptTokens === undefined ? question : lengthened(question, Math.min(promptTokens, questionTokens));
  const body = {
    query,
    ...(tokens === undefined ? {} : { max_tokens: tokens }),
    ...(settings.ignoresEnd ? { ignore_eos: true } : {}),
    ...(streams ? { stream: true } : {}),
  };
  const headers = {
    'Content-Type': 'application/json',
    ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
    ...(variant === undefined ? {} : { 'X-Ragscale-Variant': variant }),
    ...(deadlineMs === undefined ? {} : { 'X-Request-Timeout-Ms': String(deadlineMs) }),
  };
  return http.post(`${target}/rag`, JSON.stringify(body), { headers, timeout: timeoutMs, responseType: 'text' });
}

/** What a request's place in the plan says of it. */
export interface Place {
  readonly stage: number;
  readonly window: number;
  readonly lagMs: number;
  readonly late: boolean;
  readonly inFlight: number;
  readonly carriedOver: number | undefined;
  readonly elapsedMs: number;
}

export function record({ streams, objectiveMs }: Settings, sent: Sent, place: Place): void {
  const { outcome, reason, parts } = endingOf(
    {
      status: sent.status,
      body: typeof sent.body === 'string' ? sent.body : '',
      serverTiming: sent.headers['Server-Timing'],
      errorCode: sent.error_code,
    },
    streams,
  );
  const tags = { stage: String(place.stage) };
  const windowed = { ...tags, window: String(place.window) };
  const { blocked, sending, waiting, receiving } = sent.timings;
  // `blocked` lasts until there is a connection: the name is looked up in it, and the connection made.
  const untilHead = blocked + sending + waiting;

  lag.add(place.lagMs, tags);
  inFlight.add(place.inFlight);
  elapsed.add(place.elapsedMs, tags);
  if (place.late) late.add(1);
  if (place.carriedOver !== undefined) carriedOver.add(place.carriedOver, tags);
  const status = STATUSES.includes(sent.status) ? String(sent.status) : 'other';
  outcomes.add(1, { ...windowed, outcome, status, ...(reason === undefined ? {} : { reason }) });
  check(outcome, { 'answered, refused with a reason or broken off with one': (found) => found !== 'failed' });
  for (const [part, ms] of Object.entries(parts)) serverTime.add(ms, { ...tags, part });
  if (outcome !== 'answered') return;

  const wholeMs = untilHead + receiving;
  // The head of a stream leaves when its question has a slot; the first token comes when its prompt has been read.
  const firstMs = streams ? untilHead + (parts.prefill ?? 0) : wholeMs;
  duration.add(wholeMs, windowed);
  if (streams) firstToken.add(firstMs, tags);
  if (firstMs <= objectiveMs) good.add(1, tags);
}

/** @throws Error when nobody listens there */
export function checkReachable({ target }: Settings): void {
  const { status, error } = http.get(`${target}/livez`, {
    responseType: 'none',
    timeout: 10_000,
    tags: { name: 'reachable' },
  });
  if (status === 0)
    throw new Error(
      `nobody answers at ${target} (${error}): start the system, or name another with -e TARGET=http://host:port`,
    );
}
