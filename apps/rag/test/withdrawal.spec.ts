/** Deadlines, clients that go, and the order of those that wait. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

let pod: PodFixture;
let answerOne: () => void;

beforeEach(async () => {
  pod = await startPod();
  const held: (() => void)[] = [];
  pod.engine.beforeAnswer = () => new Promise((resolve) => held.push(resolve));
  answerOne = () => held.shift()?.();
});
afterEach(() => pod[Symbol.asyncDispose]());

const asked = () => pod.engine.generations.slice(1).map(({ prompt }) => ('question' in prompt ? prompt.question : ''));

async function gauges(): Promise<[waiting: number, running: number]> {
  const text = await pod.metrics();
  const read = (name: string) =>
    Number(new RegExp(`^ragscale_requests_${name}{variant="baseline"} (\\d+)$`, 'm').exec(text)?.[1]);
  return [read('waiting'), read('running')];
}

/** Posts one question after the other, each once the one before has arrived. */
async function askInOrder(count: number, headers: Record<string, string> = {}): Promise<Promise<Response>[]> {
  const answers: Promise<Response>[] = [];
  for (let index = 0; index < count; index += 1) {
    answers.push(pod.post({ query: `question ${index}` }, headers));
    await until(async () => (await gauges()).reduce((sum, value) => sum + value) === index + 1);
  }
  return answers;
}

describe('questions', () => {
  it('are answered one at a time, in the order they came', async () => {
    const answers = await askInOrder(4);
    expect(await gauges()).toEqual([3, 1]);
    for (let done = 1; done <= 4; done += 1) {
      await until(() => asked().length === done);
      answerOne();
    }
    expect((await Promise.all(answers)).map((response) => response.status)).toEqual([200, 200, 200, 200]);
    expect(asked()).toEqual(['question 0', 'question 1', 'question 2', 'question 3']);
    expect(await gauges()).toEqual([0, 0]);
  });

  it('do not stop those behind them when they fail', async () => {
    const [first, second] = await askInOrder(2);
    pod.engine.beforeAnswer = async () => {};
    answerOne();
    expect((await first)?.status).toBe(200);
    expect((await second)?.status).toBe(200);
  });
});

describe('a deadline', () => {
  it('that passes while the engine works ends the work and is a 504', async () => {
    const response = await pod.post({ query: 'slow' }, { 'x-request-timeout-ms': '30' });
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: { code: 'deadline_exceeded', message: expect.stringContaining('30 ms') },
    });
    expect(pod.engine.cancelled).toBe(1);
    expect(await gauges()).toEqual([0, 0]);
  });

  it('that passes while a request waits takes only that request out of the line', async () => {
    const [first] = await askInOrder(1);
    const hasty = await pod.post({ query: 'hasty' }, { 'x-request-timeout-ms': '30' });
    expect(hasty.status).toBe(504);
    expect(await gauges()).toEqual([0, 1]);
    answerOne();
    expect((await first)?.status).toBe(200);
    expect(asked()).toEqual(['question 0']);
  });
});

describe('a client that goes', () => {
  it('frees the engine at once, and counts as 499', async () => {
    const leaving = new AbortController();
    const gone = pod.post({ query: 'never mind' }, {}, leaving.signal).catch((error: Error) => error.name);
    await until(() => asked().length === 1);
    const next = pod.post({ query: 'next' });
    leaving.abort();
    expect(await gone).toBe('AbortError');
    await until(() => asked().length === 2);
    expect(pod.engine.cancelled).toBe(1);
    answerOne();
    answerOne();
    expect((await next).status).toBe(200);
    expect(await pod.metrics()).toContain(
      'ragscale_request_duration_seconds_count{variant="baseline",route="/rag",status="499"} 1',
    );
    expect(pod.log.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('while it waits is taken out of the line', async () => {
    const [first] = await askInOrder(1);
    const leaving = new AbortController();
    const gone = pod.post({ query: 'never mind' }, {}, leaving.signal).catch(() => 'gone');
    await until(async () => (await gauges())[0] === 1);
    leaving.abort();
    await gone;
    await until(async () => (await gauges())[0] === 0);
    answerOne();
    expect((await first)?.status).toBe(200);
    expect(asked()).toEqual(['question 0']);
  });
});
