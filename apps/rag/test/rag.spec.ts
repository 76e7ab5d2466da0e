/** POST /rag over HTTP: answers, settings, headers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodFixture, startPod } from './pod-fixture.ts';

const QUESTION = 'Which animals can hover in the air?';
let pod: PodFixture;

beforeAll(async () => {
  pod = await startPod();
});
afterAll(() => pod[Symbol.asyncDispose]());

describe('an answer', () => {
  it('is made of the question, the text alone, and the passages with ids and scores', async () => {
    const response = await pod.post({ query: QUESTION });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const text = 'Hummingbirds can hover in mid-air by rapidly flapping their wings.';
    expect(await response.json()).toEqual({
      query: QUESTION,
      result: text,
      sources: [
        { id: 'hummingbirds#1', score: expect.closeTo(0.7, 0), text },
        { id: expect.stringMatching(/^(cats|dogs)#1$/), score: expect.any(Number), text: expect.any(String) },
      ],
    });
  });

  it('names only the passages that went into the prompt', async () => {
    pod.engine.passagesThatFit = 1;
    const { sources } = (await (await pod.post({ query: QUESTION, k: 3 })).json()) as { sources: unknown[] };
    pod.engine.passagesThatFit = Number.POSITIVE_INFINITY;
    expect(sources).toHaveLength(1);
  });

  it('has as many sources as there are passages when more are asked for', async () => {
    const { sources } = (await (await pod.post({ query: QUESTION, k: 20 })).json()) as { sources: unknown[] };
    expect(sources).toHaveLength(3);
  });

  it('is greedy and of 64 tokens at most unless asked otherwise', async () => {
    await pod.post({ query: QUESTION });
    expect(pod.engine.generations.at(-1)?.settings).toEqual({
      maxTokens: 64,
      temperature: 0,
      topP: 1,
      topK: 0,
      stop: [],
    });
  });

  it('follows the settings of the request', async () => {
    await pod.post({ query: QUESTION, max_tokens: 5, temperature: 0.7, top_p: 0.9, top_k: 40, seed: -3, stop: 'end' });
    expect(pod.engine.generations.at(-1)?.settings).toEqual({
      maxTokens: 5,
      temperature: 0.7,
      topP: 0.9,
      topK: 40,
      seed: -3,
      stop: ['end'],
    });
    await pod.post({ query: QUESTION, stop: ['a', 'b'] });
    expect(pod.engine.generations.at(-1)?.settings.stop).toEqual(['a', 'b']);
  });

  it('takes any language, and a question at the limit', async () => {
    for (const query of ['¿Qué animales pueden volar?', '哪些动物会飞？', '🐦?', 'a'.repeat(8_192)]) {
      const response = await pod.post({ query });
      expect(response.status).toBe(200);
      expect(((await response.json()) as { query: string }).query).toBe(query);
    }
  });
});

describe('headers of an answer', () => {
  it('carry the times of the stages in milliseconds', async () => {
    const response = await pod.post({ query: QUESTION });
    expect(response.headers.get('server-timing')).toMatch(
      /^queue;dur=[\d.]+, embed;dur=[\d.]+, retrieve;dur=[\d.]+, prefill;dur=2, decode;dur=4, total;dur=[\d.]+$/,
    );
  });

  it('echo a safe X-Request-Id, and replace another', async () => {
    expect((await pod.post({ query: QUESTION }, { 'x-request-id': 'trace-1.a_B' })).headers.get('x-request-id')).toBe(
      'trace-1.a_B',
    );
    const unsafe = (await pod.post({ query: QUESTION }, { 'x-request-id': 'a b' })).headers.get('x-request-id');
    expect(unsafe).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'APPLICATION/JSON',
    'application/json; charset=utf-8; charset=utf-8',
  ])('may say %s of the body', async (contentType) => {
    expect((await pod.post({ query: QUESTION }, { 'content-type': contentType })).status).toBe(200);
  });
});
