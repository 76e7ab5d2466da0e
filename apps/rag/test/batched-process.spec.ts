/** The batched variant as it is started in production: the answers of the baseline, and nothing left of those who give up. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';
import { until } from './pod-fixture.ts';

const SUBJECTS = [
  'hummingbirds',
  'dogs',
  'cats',
  'birds',
  'animals that hover',
  'pets',
  'wild animals',
  'a bird in mid-air',
];
const FORMS = [
  (subject: string) => `What do you know about ${subject}?`,
  (subject: string) => `Tell me something of ${subject}, please.`,
  (subject: string) => `Can ${subject} hover in the air?`,
  (subject: string) =>
    `Which of all the sentences that you have read is about ${subject}, and what does it say of them in particular?`,
];

/** Sixty-four that are all different, in text, passages and length. */
const QUESTIONS = SUBJECTS.flatMap((subject, s) =>
  FORMS.flatMap((form, f) => [
    { query: form(subject), k: 1 + ((s + f) % 3) },
    { query: form(subject).toUpperCase(), k: 3, max_tokens: 4 + s + f },
  ]),
);

async function answersOf(pod: PodProcess): Promise<unknown[]> {
  return Promise.all(
    QUESTIONS.map(async (question) => {
      const response = await pod.post(question);
      expect(response.status).toBe(200);
      return response.json();
    }),
  );
}

describe('a batched pod with the embedded models', () => {
  let pod: PodProcess;
  beforeAll(async () => {
    pod = await startProcess({ env: { VARIANT: 'batched', MAX_QUEUED_REQUESTS: '1000', REFUSE_BEYOND: 'deadline' } });
  });
  afterAll(() => pod.stop());

  async function metric(pattern: string): Promise<number> {
    const text = await (await fetch(`${pod.url}/metrics`)).text();
    return Number(new RegExp(`^ragscale_${pattern} (\\d+)$`, 'm').exec(text)?.[1]);
  }

  async function atRest(): Promise<boolean> {
    const gauges = ['waiting', 'running'].map((name) => metric(`requests_${name}{variant="batched"}`));
    return (await Promise.all(gauges)).join() === '0,0';
  }

  it('gives sixty-four questions at once the answers of the baseline', async () => {
    expect(new Set(QUESTIONS.map((question) => JSON.stringify(question))).size).toBe(64);
    const answers = await answersOf(pod);
    const baseline = await startProcess();
    const expected = await answersOf(baseline);
    await baseline.stop();
    expect(answers).toEqual(expected);
    expect(answers[4]).toMatchObject({ result: expect.stringMatching(/hummingbirds/i) });
    expect(await metric('slots{variant="batched"}')).toBe(16);
    // Fewer steps than tokens: the answers were decoded together.
    const steps = await metric('batch_size_count{variant="batched",stage="decode"}');
    expect(await metric('batch_size_sum{variant="batched",stage="decode"}')).toBeGreaterThan(2 * steps);
    expect(await atRest()).toBe(true);
  });

  it('is as new after a storm of which half give up', async () => {
    const ask = async (index: number): Promise<number | 'gone'> => {
      const leaves = index % 3 === 0;
      const headers = {
        'content-type': 'application/json',
        ...(!leaves && index % 5 === 1 ? { 'x-request-timeout-ms': '150' } : {}),
      };
      const body = JSON.stringify({ query: `Number ${index % 90}: which animals can hover?`, k: 1 + (index % 3) });
      const signal = leaves ? { signal: AbortSignal.timeout(Math.ceil(Math.random() * 800)) } : {};
      try {
        const response = await fetch(`${pod.url}/rag`, { method: 'POST', headers, body, ...signal });
        await response.arrayBuffer();
        return response.status;
      } catch (error) {
        if (leaves) return 'gone';
        throw error;
      }
    };
    const outcomes = await Promise.all(Array.from({ length: 300 }, (_, index) => ask(index)));
    for (const [index, outcome] of outcomes.entries()) {
      if (index % 3 === 0) expect([200, 'gone']).toContain(outcome);
      else if (index % 5 === 1) expect([200, 429, 504]).toContain(outcome);
      else expect(outcome).toBe(200);
    }
    await until(atRest);
    const response = await pod.post(
      { query: 'Which animals can hover in the air?' },
      { 'x-request-timeout-ms': '5000' },
    );
    expect(response.status).toBe(200);
    await response.arrayBuffer();
    expect(await atRest()).toBe(true);
    expect(pod.log.filter((line) => line.level === 'error')).toEqual([]);
  });
});
