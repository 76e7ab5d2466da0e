/**
 * Continuous batching with real models: company, place and time change not one token of an answer. RAGSCALE_TEST_GENERATOR names the
 * folder of another generator than the embedded one, such as the same checkpoint in another precision.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../src/engine.ts';
import { type Engine, type Generation, GREEDY, type ModelRun } from '../src/engine-api.ts';
import { CancelledError, DeadlineError } from '../src/errors.ts';
import { seededRandom } from '../src/sampling.ts';

const embedded = path.resolve(import.meta.dirname, '../../../models/embedded');
const folders = {
  embedder: path.join(embedded, 'embedder'),
  generator: process.env.RAGSCALE_TEST_GENERATOR ?? path.join(embedded, 'generator'),
};
const PROMPTS = 500;
const WORDS = 'the a bird cat flies over small wings question answer of and water 42 é 日本 hummingbird , . \n'.split(
  ' ',
);
const INSTRUCTIONS =
  'Answer in one sentence, from the passages alone. Say so when they do not tell. Never invent a number, a name or a date.';

const random = seededRandom(7);
const below = (limit: number) => Math.floor(random() * limit);
const words = (count: number) => Array.from({ length: count }, () => WORDS[below(WORDS.length)]).join(' ');

/** A tenth are long; a third share their beginning. */
const asked = Array.from({ length: PROMPTS }, (_, index) => ({
  prompt: {
    question: words(1 + below(12)),
    passages: Array.from({ length: below(4) }, () => words(5 + below(index % 10 === 0 ? 120 : 25))),
    ...(index % 3 === 0 ? { instructions: INSTRUCTIONS } : {}),
  },
  settings: { ...GREEDY, maxTokens: 1 + below(24), ignoreEos: index % 2 === 0 },
}));

describe('a batched engine', () => {
  let runs: ModelRun[] = [];
  let batched: Engine;
  beforeAll(async () => {
    batched = await startEngine({
      ...folders,
      threads: 2,
      slots: 7,
      batching: { prefillTokens: 128 },
      onRuns: (reported) => runs.push(...reported),
    });
  });
  afterAll(() => batched.close());

  it(`gives ${PROMPTS} random prompts, coming at random times, the tokens that they get alone`, async () => {
    const alone = await startEngine({ ...folders, threads: 2, slots: 1, batching: { sharePrefixes: false } });
    const expected: Generation[] = [];
    for (const { prompt, settings } of asked) expected.push(await alone.generate(prompt, settings));
    await alone.close();

    runs = [];
    const answers: Promise<Generation>[] = [];
    for (const { prompt, settings } of asked) {
      answers.push(batched.generate(prompt, settings));
      if (below(3) === 0) await sleep(below(8));
    }
    const found = await Promise.all(answers);
    for (const [index, { tokens, text }] of found.entries()) {
      expect({ index, tokens, text }).toEqual({ index, tokens: expected[index]!.tokens, text: expected[index]!.text });
    }
    // The prompts did meet: otherwise this would show nothing.
    const largest = (stage: ModelRun['stage']) =>
      Math.max(...runs.filter((run) => run.stage === stage).map(({ size }) => size));
    expect(largest('decode')).toBe(7);
    expect(largest('prefill')).toBeGreaterThan(1);
    expect(found.filter(({ cachedTokens }) => cachedTokens > 0).length).toBeGreaterThan(20);
  }, 120_000);

  it('streams text whose pieces are the answer', async () => {
    const answers = asked.slice(0, 40).map(async ({ prompt, settings }) => {
      const pieces: string[] = [];
      let started = 0;
      const { text } = await batched.generate(prompt, settings, {
        onStart: () => started++,
        onText: (piece) => pieces.push(piece),
      });
      expect(pieces.join('')).toBe(text);
      expect(pieces).not.toContain('');
      expect(started).toBe(1);
    });
    await Promise.all(answers);
  });

  it('embeds the questions of many calls in one run', async () => {
    runs = [];
    await Promise.all(Array.from({ length: 16 }, (_, index) => batched.embed([`bird ${index}`], 'query')));
    const sizes = runs.filter(({ stage }) => stage === 'embed').map(({ size }) => size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(16);
    expect(sizes.length).toBeLessThan(8);
  });

  it('frees the slot of a withdrawn answer for one that waits', async () => {
    const long = { ...GREEDY, maxTokens: 300, ignoreEos: true };
    const leaving = new AbortController();
    const running = Array.from({ length: 7 }, () => batched.generate({ text: 'x' }, long, { signal: leaving.signal }));
    const ended = Promise.all(running.map((each) => expect(each).rejects.toThrow(CancelledError)));
    const next = batched.generate({ text: 'y' }, { ...GREEDY, maxTokens: 2 });
    await sleep(20);
    leaving.abort();
    await ended;
    expect((await next).tokens.length).toBeGreaterThan(0);
  });

  it('refuses what is late, in the line and in a slot', async () => {
    const long = { ...GREEDY, maxTokens: 400, ignoreEos: true };
    const soon = performance.timeOrigin + performance.now() + 40;
    const late = Array.from({ length: 12 }, () => batched.generate({ text: 'x' }, long, { deadlineAt: soon }));
    for (const each of late) await expect(each).rejects.toThrow(DeadlineError);
    await expect(batched.generate({ text: 'x' }, { ...GREEDY, maxTokens: 2 })).resolves.toBeDefined();
  });
});
