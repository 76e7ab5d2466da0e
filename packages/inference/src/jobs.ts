/** The work of the engine thread, in steps: between any two of them the thread can take messages, and a cancelled job ends. */

import { type Encoder, planBatches } from './encoder.ts';
import type { Embeddings, Generation, GenerationSettings, Prompt } from './engine-api.ts';
import { clock, type Work } from './engine-protocol.ts';
import { GenerationState } from './generation-state.ts';
import type { Generator, Models } from './models.ts';
import { type FittedPrompt, fitIds, fitPrompt } from './prompt.ts';

/** Each `yield` is the end of a step; the value returned is the job's result. */
export type Job<T> = AsyncGenerator<undefined, T>;

/** Tokens of one embedding batch, padding included: a step of a few tens of milliseconds on two cores. */
const EMBED_TOKENS = 1024;
const EMBED_ROWS = 32;
/** Tokens of a prompt that one step computes. */
const PREFILL_TOKENS = 512;

/** @param waitedMs from the caller's request to now */
export function startJob(models: Models, work: Work, waitedMs: number): Job<Embeddings | Generation | number[]> {
  switch (work.kind) {
    case 'embed':
      return embed(models.encoder, work.texts, work.as, waitedMs);
    case 'generate':
      return generate(models.generator, work.prompt, work.settings, waitedMs);
    case 'countTokens':
      return countTokens(models.encoder, work.texts);
  }
}

export async function* embed(
  encoder: Encoder,
  texts: readonly string[],
  as: 'query' | 'passage',
  queueMs: number,
): Job<Embeddings> {
  const start = clock();
  const encoded = texts.map((text, index) => ({ index, ids: encoder.tokenize(text, as) }));
  const vectors = new Array<Float32Array>(texts.length);
  for (const batch of planBatches(encoded, EMBED_TOKENS, EMBED_ROWS)) {
    const found = await encoder.run(batch);
    batch.forEach(({ index }, row) => {
      vectors[index] = found[row]!;
    });
    yield;
  }
  const tokens = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
  return { vectors, tokens, timing: { queueMs, runMs: clock() - start } };
}

export async function* generate(
  generator: Generator,
  prompt: Prompt,
  settings: GenerationSettings,
  queueMs: number,
): Job<Generation> {
  const { decoder, tokenizer, manifest } = generator;
  const start = clock();
  const { ids, passagesUsed } = fit(generator, prompt, settings.maxTokens);
  const state = new GenerationState({
    promptIds: ids,
    settings,
    eos: manifest.tokens.eos,
    vocabulary: decoder.vocabulary,
    decode: (tokens) => tokenizer.decode(tokens),
  });
  const slot = 0;
  for (let past = 0; past < ids.length; past += PREFILL_TOKENS) {
    const row = await decoder.prefill(slot, ids.slice(past, past + PREFILL_TOKENS), past, state.wanted);
    if (past + PREFILL_TOKENS >= ids.length) state.advance(row);
    yield;
  }
  const prefilled = clock();
  while (!state.finished) {
    const [row] = await decoder.decode([{ token: state.lastToken, length: state.length }], state.wanted);
    state.advance(row!);
    yield;
  }
  return {
    ...state.result(),
    passagesUsed,
    timing: { queueMs, prefillMs: prefilled - start, decodeMs: clock() - prefilled },
  };
}

function fit({ decoder, tokenizer, manifest }: Generator, prompt: Prompt, maxTokens: number): FittedPrompt {
  // A raw prompt is its author's own template: special tokens written in it are meant. In a question they are only text.
  if ('text' in prompt)
    return fitIds(tokenizer.encode(prompt.text, { parseSpecials: true }), decoder.context, maxTokens);
  const encode = (text: string) => tokenizer.encode(text);
  return fitPrompt(manifest.prompt, prompt.question, prompt.passages, encode, decoder.context, maxTokens);
}

async function* countTokens(encoder: Encoder, texts: readonly string[]): Job<number[]> {
  const counts: number[] = [];
  for (const text of texts) {
    counts.push(encoder.countTokens(text));
    if (counts.length % 64 === 0) yield;
  }
  return counts;
}
