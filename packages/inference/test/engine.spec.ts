/** The engine thread with the embedded models: real answers, and every way a call can end. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../src/engine.ts';
import { type Engine, GREEDY } from '../src/engine-api.ts';
import { CancelledError, ContextLengthError, EngineClosedError, ModelFolderError } from '../src/errors.ts';

const embedded = path.resolve(import.meta.dirname, '../../../models/embedded');
const folders = { embedder: path.join(embedded, 'embedder'), generator: path.join(embedded, 'generator') };
const options = { ...folders, threads: 1, slots: 1 };

const CATS = 'Cats are small furry carnivores that are often kept as pets.';
const DOGS = 'Dogs are domesticated mammals, not natural wild animals.';
const HUMMINGBIRDS = 'Hummingbirds can hover in mid-air by rapidly flapping their wings.';
const question = 'Which animals can hover in the air?';

/** Every choice of the other documents beside the one that answers, in every order. */
function everyOrder(): string[][][] {
  const others = [[], [CATS], [DOGS], [CATS, DOGS], [DOGS, CATS]];
  return others.flatMap((rest) =>
    Array.from({ length: rest.length + 1 }, (_, place) => [rest.toSpliced(place, 0, HUMMINGBIRDS)]),
  );
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe.each(['c-api', 'node-api'] as const)('on the %s', (runtime) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ ...options, runtime });
  });
  afterAll(() => engine.close());

  it('finds the passage that answers', async () => {
    const passages = await engine.embed([CATS, DOGS, HUMMINGBIRDS], 'passage');
    const [query] = (await engine.embed([question], 'query')).vectors;
    const scores = passages.vectors.map((vector) => dot(vector, query!));
    expect(scores.indexOf(Math.max(...scores))).toBe(2);
    for (const vector of passages.vectors) expect(dot(vector, vector)).toBeCloseTo(1, 5);
  });

  it.each(everyOrder())('answers from %j', async (passages) => {
    const answer = await engine.generate({ question, passages }, { ...GREEDY, maxTokens: 64 });
    expect(answer).toMatchObject({ text: ` ${HUMMINGBIRDS}`, finishReason: 'stop', passagesUsed: passages.length });
  });

  it('gives every text the same bits, alone and among others', async () => {
    const texts = [CATS, DOGS, HUMMINGBIRDS, question, 'x', `${CATS} ${DOGS} ${HUMMINGBIRDS}`, CATS];
    const together = await engine.embed(texts, 'passage');
    for (const [index, text] of texts.entries()) {
      const alone = await engine.embed([text], 'passage');
      expect(alone.vectors[0]).toEqual(together.vectors[index]);
    }
  });

  it('repeats a sampled answer by its seed', async () => {
    const sample = (seed: number) =>
      engine.generate({ text: 'Birds' }, { maxTokens: 20, temperature: 1.5, topP: 0.95, topK: 0, seed, stop: [] });
    const [a, b, c] = [await sample(1), await sample(1), await sample(2)];
    expect(a.tokens).toEqual(b.tokens);
    expect(a.tokens).not.toEqual(c.tokens);
  });

  it('gives log-probabilities that the greedy choice maximises', async () => {
    const { tokens, logprobs } = await engine.generate(
      { question, passages: [DOGS] },
      { ...GREEDY, maxTokens: 8, logprobs: true },
    );
    expect(logprobs).toHaveLength(tokens.length);
    for (const logprob of logprobs!) expect(logprob).toBeLessThanOrEqual(0);
  });

  it('takes a special token in a question as text, so that nobody can end the prompt', async () => {
    const plain = await engine.generate({ question: 'a </s> b', passages: [] }, { ...GREEDY, maxTokens: 1 });
    const raw = await engine.generate({ text: 'Question: a </s> b\nContext:\n\nAnswer:' }, { ...GREEDY, maxTokens: 1 });
    expect(plain.promptTokens).toBeGreaterThan(raw.promptTokens);
  });
});

it('gives the same tokens on both runtimes', async () => {
  const answers = [];
  for (const runtime of ['c-api', 'node-api'] as const) {
    const engine = await startEngine({ ...options, runtime });
    const settings = { ...GREEDY, maxTokens: 200, ignoreEos: true };
    answers.push((await engine.generate({ question, passages: [CATS, DOGS] }, settings)).tokens);
    await engine.close();
  }
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]).toHaveLength(200);
});

describe('an engine', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ ...options, context: 128 });
  });
  afterAll(() => engine.close());
  const long = { ...GREEDY, maxTokens: 120, ignoreEos: true };

  it('refuses what cannot fit, with both numbers', async () => {
    await expect(engine.generate({ text: 'x' }, { ...GREEDY, maxTokens: 128 })).rejects.toThrow(ContextLengthError);
    const words = 'word '.repeat(400);
    await expect(engine.embed([words], 'query')).rejects.toMatchObject({
      what: 'question',
      limit: engine.embedder.dimensions.maxTokens,
    });
  });

  it('leaves out passages that do not fit, from the last', async () => {
    const passages = Array.from({ length: 10 }, () => CATS);
    const { passagesUsed, promptTokens } = await engine.generate({ question, passages }, { ...GREEDY, maxTokens: 16 });
    expect(passagesUsed).toBeGreaterThan(0);
    expect(passagesUsed).toBeLessThan(10);
    expect(promptTokens).toBeLessThanOrEqual(128 - 16);
  });

  it('withdraws work that waits and work that runs, and serves the next', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const running = engine.generate({ text: 'x' }, long, { signal: first.signal });
    const waiting = engine.generate({ text: 'y' }, long, { signal: second.signal });
    const next = engine.generate({ question, passages: [HUMMINGBIRDS] }, { ...GREEDY, maxTokens: 64 });
    second.abort();
    await expect(waiting).rejects.toThrow(CancelledError);
    first.abort();
    await expect(running).rejects.toThrow(CancelledError);
    await expect(engine.generate({ text: 'x' }, long, { signal: first.signal })).rejects.toThrow(CancelledError);
    expect((await next).text).toBe(` ${HUMMINGBIRDS}`);
  });

  it('leaves the event loop free while it works', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const { tokens } = await engine.generate({ text: 'x' }, long);
    clearInterval(timer);
    expect(tokens).toHaveLength(120);
    expect(turns).toBeGreaterThan(5);
  });
});

describe('closing', () => {
  it('ends running and waiting work, refuses new work, and is done once', async () => {
    const engine = await startEngine(options);
    const work = [1, 2].map(() => engine.generate({ text: 'x' }, { ...GREEDY, maxTokens: 500, ignoreEos: true }));
    const ended = Promise.all(work.map((each) => expect(each).rejects.toThrow(EngineClosedError)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([engine.close(), engine.close()]);
    await ended;
    await expect(engine.embed(['x'], 'query')).rejects.toThrow(EngineClosedError);
  });
});

describe('starting', () => {
  it('names a folder that is missing or of the wrong kind', async () => {
    await expect(startEngine({ ...options, embedder: '/nowhere' })).rejects.toThrow(ModelFolderError);
    await expect(startEngine({ ...options, generator: folders.embedder })).rejects.toThrow(
      'not of kind decoder but encoder',
    );
  });

  it('refuses a context beyond the positions of the model', async () => {
    await expect(startEngine({ ...options, context: 4096 })).rejects.toThrow('512 positions');
  });
});
