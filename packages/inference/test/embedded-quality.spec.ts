/** Do the models that ship answer as well as their cards say? Greedy and batch-invariant, so the counts do not vary. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEngine } from '../src/engine.ts';
import { type Engine, GREEDY } from '../src/engine-api.ts';

interface Example {
  readonly question: string;
  readonly passages: readonly string[];
  readonly answer: string;
}

const models = path.resolve(import.meta.dirname, '../../../models');
const read = (name: string) => readFileSync(path.join(models, 'training', name), 'utf8');
const settings = { ...GREEDY, maxTokens: 96 };

let engine: Engine;
beforeAll(async () => {
  const [embedder, generator] = ['embedder', 'generator'].map((name) => path.join(models, 'embedded', name));
  engine = await startEngine({ embedder: embedder!, generator: generator!, threads: 2, slots: 1 });
});
afterAll(() => engine.close());

async function byLikeness({ question, passages }: Example): Promise<string[]> {
  const [query] = (await engine.embed([question], 'query')).vectors;
  const { vectors } = await engine.embed(passages, 'passage');
  const scores = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * query![i]!, 0));
  return passages
    .map((text, index) => ({ text, score: scores[index]! }))
    .toSorted((a, b) => b.score - a.score)
    .map(({ text }) => text);
}

it('13 of 15 questions that people wrote, with passages in the order of retrieval', async () => {
  let right = 0;
  for (const example of JSON.parse(read('natural.json')) as Example[]) {
    const passages = await byLikeness(example);
    const { text } = await engine.generate({ question: example.question, passages }, settings);
    if (text.includes(example.answer)) right += 1;
  }
  expect(right).toBeGreaterThanOrEqual(13);
});

it('85% of 300 held-out examples to the letter, those that nothing answers among them', async () => {
  const examples = read('heldout.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Example);
  let right = 0;
  for (const { question, passages, answer } of examples) {
    const { text } = await engine.generate({ question, passages }, settings);
    if (text.trim() === answer.trim()) right += 1;
  }
  expect(examples).toHaveLength(300);
  expect(right / examples.length).toBeGreaterThanOrEqual(0.85);
});
