/** One answer in the making: which tokens are in, which comes next, when it ends. Pure but for the random seed of the caller. */

import type { Wanted } from './decoder.ts';
import type { Generation, GenerationSettings } from './engine-api.ts';
import {
  type Candidates,
  candidateCount,
  logProbability,
  needsAllLogits,
  pickToken,
  seededRandom,
} from './sampling.ts';
import { TextStream } from './text-stream.ts';

export interface GenerationInput {
  readonly promptIds: readonly number[];
  readonly settings: GenerationSettings;
  readonly eos: readonly number[];
  readonly vocabulary: number;
  readonly decode: (ids: readonly number[]) => string;
}

export class GenerationState {
  readonly promptIds: readonly number[];
  readonly wanted: Wanted;
  /** Ids of the answer so far, the end-of-sequence token not among them. */
  readonly tokens: number[] = [];
  readonly #settings: GenerationSettings;
  readonly #eos: ReadonlySet<number>;
  readonly #random: () => number;
  readonly #stream: TextStream;
  readonly #logprobs: number[] = [];
  #text = '';
  #finishReason: Generation['finishReason'] | undefined;

  constructor(input: GenerationInput) {
    const { settings } = input;
    this.promptIds = input.promptIds;
    this.#settings = settings;
    this.#eos = new Set(settings.ignoreEos ? [] : input.eos);
    this.#random = seededRandom(settings.seed ?? Math.floor(Math.random() * 2 ** 32));
    this.#stream = new TextStream(input.decode, settings.stop);
    this.wanted = { candidates: candidateCount(settings, input.vocabulary), logits: needsAllLogits(settings) };
  }

  get finished(): boolean {
    return this.#finishReason !== undefined;
  }

  /** Tokens in the slot's cache: the prompt, and every token of the answer but the last. */
  get length(): number {
    return this.promptIds.length + this.tokens.length - 1;
  }

  /** Decode steps that the answer needs at least: it may end with the next token unless its length is fixed. */
  get leastSteps(): number {
    return this.#settings.ignoreEos && this.#settings.stop.length === 0
      ? this.#settings.maxTokens - this.tokens.length
      : 1;
  }

  get lastToken(): number {
    return this.tokens[this.tokens.length - 1]!;
  }

  /** Takes what the model found for the next token; returns the text that this completes. */
  advance(row: Candidates): string {
    if (this.finished) throw new Error('the generation has ended');
    const token = pickToken(row, this.#settings, this.#random);
    if (this.#eos.has(token)) return this.#finish('stop');
    this.tokens.push(token);
    if (this.#settings.logprobs) this.#logprobs.push(logProbability(row.logits!, token));
    const piece = this.#stream.push(token);
    this.#text += piece;
    if (this.#stream.stopped) this.#finishReason = 'stop';
    else if (this.tokens.length >= this.#settings.maxTokens) return piece + this.#finish('length');
    return piece;
  }

  result(): Pick<Generation, 'text' | 'tokens' | 'logprobs' | 'finishReason' | 'promptTokens'> {
    return {
      text: this.#text,
      tokens: this.tokens,
      ...(this.#settings.logprobs ? { logprobs: this.#logprobs } : {}),
      finishReason: this.#finishReason ?? 'length',
      promptTokens: this.promptIds.length,
    };
  }

  #finish(reason: Generation['finishReason']): string {
    this.#finishReason = reason;
    const rest = this.#stream.finish();
    this.#text += rest;
    return rest;
  }
}
