/** The batched variant over HTTP: who joins, who waits, who is refused, who leaves. */
import type { EngineOptions } from '@ragscale/inference/engine-api';
import { DeadlineError } from '@ragscale/inference/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.ts';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

/** Two slots and two that are made ready: four are with the engine, three may wait. */
const ENV = { VARIANT: 'batched', SLOTS: '2', MAX_QUEUED_REQUESTS: '3' };
const WINDOW = 4;

let pod: PodFixture;
let held: (() => void)[];

beforeEach(async () => {
  pod = await startPod({ env: ENV });
  held = [];
  pod.engine.beforeAnswer = () => new Promise((resolve) => held.push(resolve));
});
afterEach(() => pod[Symbol.asyncDispose]());

const asked = () => pod.engine.generations.slice(1).map(({ prompt }) => ('question' in prompt ? prompt.question : ''));

async function metric(pattern: string): Promise<number> {
  const text = await pod.metrics();
  return Number(new RegExp(`^ragscale_${pattern} (\\d+)$`, 'm').exec(text)?.[1]);
}

async function gauges(): Promise<[waiting: number, running: number]> {
  return [await metric('requests_waiting{variant="batched"}'), await metric('requests_running{variant="batched"}')];
}

async function askInOrder(count: number, headers: Record<string, string> = {}): Promise<Promise<Response>[]> {
  const answers: Promise<Response>[] = [];
  for (let index = 0; index < count; index += 1) {
    const [waiting, running] = await gauges();
    answers.push(pod.post({ query: `question ${index}` }, headers));
    await until(async () => (await gauges()).reduce((sum, value) => sum + value) === waiting + running + 1);
  }
  return answers;
}

describe('questions', () => {
  it('are with the engine up to its slots and a few more, and the others join in order as those leave', async () => {
    const answers = await askInOrder(WINDOW + 3);
    await until(() => held.length === WINDOW);
    // Those that are made ready wait for a slot all the same.
    expect(await gauges()).toEqual([5, 2]);
    expect(asked()).toEqual(['question 0', 'question 1', 'question 2', 'question 3']);
    held.splice(1, 1)[0]?.();
    expect((await answers[1])?.status).toBe(200);
    await until(() => asked().length === WINDOW + 1);
    expect(await gauges()).toEqual([4, 2]);
    for (let done = 1; done < answers.length; done += 1) {
      await until(() => held.length > 0);
      held.shift()?.();
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(asked()).toEqual(answers.map((_, index) => `question ${index}`));
    expect(await gauges()).toEqual([0, 0]);
  });

  it('are refused with 429 and Retry-After when too many wait, at once', async () => {
    const answers = await askInOrder(WINDOW + 3);
    const refused = await pod.post({ query: 'one too many' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({
      error: { code: 'queue_full', type: 'rate_limit_error', message: 'too many requests wait already' },
    });
    expect(await metric('rejected_total{variant="batched",reason="queue_full"}')).toBe(1);
    pod.engine.beforeAnswer = async () => {};
    for (const answer of held) answer();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  it('are embedded once when they are the same, and not at all the next time', async () => {
    const before = pod.engine.embedded.length;
    const answers = [1, 2].map(() => pod.post({ query: 'the same' }));
    await until(() => held.length === 2);
    for (const answer of held) answer();
    await Promise.all(answers);
    pod.engine.beforeAnswer = async () => {};
    expect((await pod.post({ query: 'the same' })).status).toBe(200);
    expect(pod.engine.embedded.slice(before)).toEqual([['the same']]);
    expect(await metric('cache_lookups_total{variant="batched",cache="embedding",result="hit"}')).toBeGreaterThan(0);
  });
});

describe('a deadline', () => {
  it('that the engine says cannot be kept is a 504 with the deadline that was asked for', async () => {
    pod.engine.beforeAnswer = async () => {
      throw new DeadlineError('the deadline passes before this can be done');
    };
    const response = await pod.post({ query: 'hasty' }, { 'x-request-timeout-ms': '4321' });
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: { code: 'deadline_exceeded', message: 'no answer within the deadline of 4321 ms' },
    });
    expect(pod.log.filter((line) => line.level === 'error')).toEqual([]);
    expect(await gauges()).toEqual([0, 0]);
  });

  it('that passes while a question waits or runs takes out that question alone', async () => {
    const answers = await askInOrder(WINDOW);
    const hasty = await pod.post({ query: 'hasty' }, { 'x-request-timeout-ms': '30' });
    expect(hasty.status).toBe(504);
    expect(asked()).not.toContain('hasty');
    for (const answer of held) answer();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const running = await pod.post({ query: 'runs' }, { 'x-request-timeout-ms': '30' });
    expect(running.status).toBe(504);
    expect(pod.engine.cancelled).toBe(1);
    expect(await gauges()).toEqual([0, 0]);
  });
});

describe('a client that goes', () => {
  it('leaves its place to the next, whether it waited or ran', async () => {
    const [runs, waits] = [new AbortController(), new AbortController()];
    const gone = pod.post({ query: 'runs' }, {}, runs.signal).catch(() => 'gone');
    await until(() => held.length === 1);
    const answers = await askInOrder(WINDOW - 1);
    const goneToo = pod.post({ query: 'waits' }, {}, waits.signal).catch(() => 'gone');
    await until(async () => (await gauges())[0] === 3);
    const next = pod.post({ query: 'next' });
    await until(async () => (await gauges())[0] === 4);
    waits.abort();
    await until(async () => (await gauges())[0] === 3);
    runs.abort();
    await until(() => asked().includes('next'));
    expect(await Promise.all([gone, goneToo])).toEqual(['gone', 'gone']);
    expect(pod.engine.cancelled).toBe(1);
    for (const answer of held) answer();
    expect((await Promise.all([...answers, next])).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(asked()).not.toContain('waits');
    await until(async () => (await gauges()).join() === '0,0');
  });
});

describe('the engine', () => {
  async function optionsWith(env: Record<string, string>): Promise<EngineOptions | undefined> {
    let given: EngineOptions | undefined;
    const startEngine = async (options: EngineOptions) => {
      given = options;
      return new FakeEngine(options);
    };
    await using _ = await startPod({ env, startEngine });
    return given;
  }

  it('is told how to batch, as the environment says', async () => {
    const env = { MAX_BATCH_SIZE: '7', MAX_WAITING_TIME: '0.02', PREFILL_TOKENS: '64', PREFIX_SHARING: 'off' };
    expect(await optionsWith({ VARIANT: 'batched', SLOTS: '3', ...env })).toMatchObject({
      slots: 3,
      batching: { maxEmbedTexts: 7, embedWaitMs: 20, prefillTokens: 64, sharePrefixes: false },
    });
  });

  it('has one slot and shares nothing in the baseline', async () => {
    expect(await optionsWith({})).toMatchObject({ slots: 1, batching: { sharePrefixes: false } });
  });
});
