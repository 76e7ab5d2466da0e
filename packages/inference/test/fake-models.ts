/** Models at the scheduler's port whose every answer depends on all tokens of its slot: a wrong slot, a lost or a foreign token shows. */
import type { DecodeRow, Wanted } from '../src/decoder.ts';
import type { EncodedText } from '../src/encoder.ts';
import { GREEDY } from '../src/engine-api.ts';
import { GenerationState } from '../src/generation-state.ts';
import type { Candidates } from '../src/sampling.ts';
import type { Verbs } from '../src/scheduling/scheduler.ts';
import type { EmbedTask, GenerateTask } from '../src/scheduling/tasks.ts';

const VOCABULARY = 1000;
export const EOS = 0;

/** The token that follows `tokens`; now and then the end. */
function next(tokens: readonly number[]): number {
  const hash = tokens.reduce((sum, token) => (Math.imul(sum, 31) + token + 7) >>> 0, 17);
  return hash % 23 === 0 ? EOS : 1 + (hash % (VOCABULARY - 1));
}

/** What an answer must be, computed with nobody else about. */
export function expectedAnswer(promptIds: readonly number[], maxTokens: number): number[] {
  const answer: number[] = [];
  while (answer.length < maxTokens) {
    const token = next([...promptIds, ...answer]);
    if (token === EOS) break;
    answer.push(token);
  }
  return answer;
}

export class FakeModels implements Verbs {
  /** Tokens in the cache of each slot, as far as they were written. */
  readonly cache: number[][];
  /** Milliseconds; moved by each run. */
  now = 1_000;
  /** Called before each run, which it may make fail. */
  beforeRun: (stage: 'embed' | 'prefill' | 'decode') => void = () => {};

  constructor(slots: number) {
    this.cache = Array.from({ length: slots }, () => []);
  }

  async embed(texts: readonly EncodedText[]): Promise<Float32Array[]> {
    this.#ran('embed', 5);
    const widths = new Set(texts.map(({ ids }) => Math.ceil(ids.length / 8)));
    if (widths.size !== 1) throw new Error(`texts of different widths in a run: ${[...widths]}`);
    return texts.map(({ ids }) => Float32Array.of(next(ids)));
  }

  async prefill(slot: number, tokens: readonly number[], past: number, _wanted: Wanted): Promise<Candidates> {
    this.#ran('prefill', tokens.length);
    this.cache[slot] = [...this.#held(slot, past), ...tokens];
    return one(next(this.cache[slot]));
  }

  async prefillTogether(
    firstSlot: number,
    prompts: readonly (readonly number[])[],
    _wanted: Wanted,
  ): Promise<Candidates[]> {
    this.#ran('prefill', prompts.length * Math.max(...prompts.map(({ length }) => length)));
    return prompts.map((prompt, row) => {
      this.cache[firstSlot + row] = [...prompt];
      return one(next(prompt));
    });
  }

  async decode(rows: readonly DecodeRow[], _wanted: Wanted): Promise<Candidates[]> {
    this.#ran('decode', 10);
    return rows.map(({ token, length }, slot) => {
      this.cache[slot] = [...this.#held(slot, length), token];
      return one(next(this.cache[slot]));
    });
  }

  move(from: number, to: number, length: number): void {
    this.cache[to] = this.#held(from, length);
  }

  #held(slot: number, length: number): number[] {
    const held = this.cache[slot]!;
    if (held.length < length) throw new Error(`slot ${slot} holds ${held.length} tokens, not ${length}`);
    return held.slice(0, length);
  }

  #ran(stage: 'embed' | 'prefill' | 'decode', ms: number): void {
    this.beforeRun(stage);
    this.now += ms;
  }
}

const one = (token: number): Candidates => ({ ids: BigInt64Array.of(BigInt(token)), values: Float32Array.of(1) });

interface GenerateInput {
  readonly id: number;
  readonly promptIds: readonly number[];
  readonly maxTokens?: number;
  readonly ignoreEos?: boolean;
  readonly arrivedAt?: number;
  readonly deadlineAt?: number;
}

/** Text is one letter for each token. */
export function generateTask(input: GenerateInput): GenerateTask {
  const {
    id,
    promptIds,
    maxTokens = 8,
    ignoreEos = false,
    arrivedAt = 0,
    deadlineAt = Number.POSITIVE_INFINITY,
  } = input;
  const state = new GenerationState({
    promptIds,
    settings: { ...GREEDY, maxTokens, ignoreEos },
    eos: [EOS],
    vocabulary: VOCABULARY,
    decode: (ids) => ids.map((token) => String.fromCodePoint(97 + (token % 26))).join(''),
  });
  return { id, order: id, arrivedAt, deadlineAt, state, passagesUsed: 0, streamed: true };
}

/** @param lengths tokens of each text */
export function embedTask(id: number, lengths: readonly number[], arrivedAt = 0): EmbedTask {
  const texts = lengths.map((length, index) => ({ index, ids: tokensOf(length, id * 100 + index) }));
  return { id, order: id, arrivedAt, deadlineAt: Number.POSITIVE_INFINITY, texts };
}

export function vectorOf(ids: readonly number[]): Float32Array {
  return Float32Array.of(next(ids));
}

/** `length` tokens, different for each `seed`. */
export function tokensOf(length: number, seed: number): number[] {
  return Array.from({ length }, (_, place) => 1 + ((seed * 131 + place * 17) % (VOCABULARY - 1)));
}
