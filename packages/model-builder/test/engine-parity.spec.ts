/** Does the whole engine (tokenizer, prompts in chunks, answers side by side in slots that change) give the tokens and vectors that `transformers` gives? */
import path from 'node:path';
import { startEngine } from '@ragscale/inference/engine';
import { GREEDY } from '@ragscale/inference/engine-api';
import { expect, it } from 'vitest';
import {
  built,
  DECODER_FIXTURES,
  type DecoderGolden,
  ENCODER_FIXTURES,
  type EncoderGolden,
  FIXTURES,
  floatsOf,
  readGolden,
} from './golden.ts';
import { cosine } from './similarity.ts';

const DECODERS = DECODER_FIXTURES.filter((name) => !name.startsWith('opt-one'));

it.each(DECODERS)(
  '%s: prompts in chunks of four tokens and answers that come and go, the same tokens',
  async (name) => {
    const embedderFixture = ENCODER_FIXTURES[DECODERS.indexOf(name) % ENCODER_FIXTURES.length]!;
    const engine = await startEngine({
      embedder: await built(path.join(FIXTURES, embedderFixture), 'fp32'),
      generator: await built(path.join(FIXTURES, name), 'fp32'),
      threads: 1,
      slots: 3,
      batching: { prefillTokens: 4 },
    });
    try {
      const prompts = readGolden<DecoderGolden>(path.join(FIXTURES, name)).prompts.filter(({ text }) => text !== null);
      expect(prompts.length).toBeGreaterThanOrEqual(4);
      // Answers of several lengths: slots are freed and filled while others go on.
      const asked = [16, 5, 11, 1].flatMap((maxTokens) => prompts.map((prompt) => ({ ...prompt, maxTokens })));
      const answers = await Promise.all(
        asked.map(({ text, maxTokens }) => engine.generate({ text: text! }, { ...GREEDY, maxTokens, ignoreEos: true })),
      );
      for (const [i, { ids, greedy, maxTokens }] of asked.entries()) {
        expect(answers[i]!.promptTokens).toBe(ids.length);
        expect(answers[i]!.tokens).toEqual(greedy.slice(0, maxTokens));
      }
      const { texts } = readGolden<EncoderGolden>(path.join(FIXTURES, embedderFixture));
      const sentences = texts.filter(({ text }) => text !== null);
      const { vectors } = await engine.embed(
        sentences.map(({ text }) => text!),
        'passage',
      );
      for (const [i, { embedding }] of sentences.entries())
        expect(cosine(vectors[i]!, floatsOf(embedding))).toBeGreaterThan(0.9999);
    } finally {
      await engine.close();
    }
  },
);
