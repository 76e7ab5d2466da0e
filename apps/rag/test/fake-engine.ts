/** An engine without models, at the port that the pod asks: what it answers and when is up to the test. */
import type { DeviceInUse } from '@ragscale/inference/device';
import type {
  CallOptions,
  Embeddings,
  Engine,
  EngineOptions,
  GenerateOptions,
  Generation,
  GenerationSettings,
  Prompt,
} from '@ragscale/inference/engine-api';
import { CancelledError, ContextLengthError } from '@ragscale/inference/errors';
import type { DecoderManifest, EncoderManifest } from '@ragscale/inference/manifest';

const DIMENSIONS = 64;
const MAX_QUERY_WORDS = 200;

const common = {
  format: 1,
  architecture: 'none',
  precision: 'fp32',
  licence: 'none',
  source: 'none',
  graph: 'model.onnx',
  files: {},
} as const;

export class FakeEngine implements Engine {
  readonly embedder: EncoderManifest = {
    ...common,
    kind: 'encoder',
    name: 'fake-embedder',
    dimensions: { layers: 1, hidden: DIMENSIONS, heads: 1, vocabulary: 1, maxTokens: MAX_QUERY_WORDS },
    tokens: { pad: 0 },
    pooling: 'mean',
    prompt: { query: '{text}', passage: '{text}' },
  };
  readonly generator: DecoderManifest = {
    ...common,
    kind: 'decoder',
    name: 'fake-generator',
    dimensions: { layers: 1, hidden: 1, heads: 1, kvHeads: 1, headDim: 1, vocabulary: 1, maxTokens: 512 },
    tokens: { eos: [0], pad: 0 },
    prompt: { kind: 'template', template: '{question}{passages}', passageSeparator: '' },
  };
  readonly runtime = { name: 'node-api' } as const;
  /** What the pod says of it; a test may set another. */
  device: DeviceInUse = { name: 'cpu', requested: 'cpu' };
  readonly context: number;
  readonly slots: number;
  readonly #failure = Promise.withResolvers<never>();
  readonly failed = this.#failure.promise;

  /** Every call of `generate`, the warm-up's included. */
  readonly generations: { readonly prompt: Prompt; readonly settings: GenerationSettings }[] = [];
  /** How the texts of each call of `embed` were dressed. */
  readonly embeddedAs: ('query' | 'passage')[] = [];
  /** The texts of every call of `embed`. */
  readonly embedded: (readonly string[])[] = [];
  /** Generations that came to their end, the warm-up's included. */
  answered = 0;
  /** Calls that were withdrawn by their signal. */
  cancelled = 0;
  closed = false;
  /** Passages that fit into a prompt. */
  passagesThatFit = Number.POSITIVE_INFINITY;
  /** Awaited by each generation; set it to hold answers back, or to fail. */
  beforeAnswer: () => Promise<void> = async () => {};
  /** What each answer is made of, one token each; the first passage when undefined. */
  pieces: readonly string[] | undefined;
  /** Awaited before each piece, and once after the last; set it to hold the rest of an answer back, or to fail. */
  beforePiece: (index: number) => Promise<void> = async () => {};

  constructor(options: Partial<EngineOptions> = {}) {
    this.context = options.context ?? 512;
    this.slots = options.slots ?? 1;
    this.failed.catch(() => {});
  }

  die(error: Error): void {
    this.#failure.reject(error);
  }

  async embed(texts: readonly string[], as: 'query' | 'passage', options?: CallOptions): Promise<Embeddings> {
    if (options?.signal?.aborted) throw this.#cancel();
    this.embeddedAs.push(as);
    this.embedded.push(texts);
    for (const text of texts) {
      const words = text.split(/\s+/).length;
      if (words > MAX_QUERY_WORDS) throw new ContextLengthError('question', words, MAX_QUERY_WORDS);
    }
    return { vectors: texts.map(bagOfWords), tokens: texts.length, timing: { queueMs: 0, runMs: 0 } };
  }

  async generate(prompt: Prompt, settings: GenerationSettings, options?: GenerateOptions): Promise<Generation> {
    this.generations.push({ prompt, settings });
    await this.#unlessCancelled(this.beforeAnswer(), options?.signal);
    const passages = 'passages' in prompt ? prompt.passages : [];
    const start = { queueMs: 1, promptTokens: 10, passagesUsed: Math.min(passages.length, this.passagesThatFit) };
    options?.onStart?.(start);
    const pieces = this.pieces ?? [' ', ...(passages[0] ?? 'nothing').split(/(?= )/)];
    for (let index = 0; index <= pieces.length; index += 1) {
      await this.#unlessCancelled(this.beforePiece(index), options?.signal);
      const piece = pieces[index];
      if (piece !== undefined) options?.onText?.(piece);
    }
    this.answered += 1;
    return {
      text: pieces.join(''),
      tokens: this.pieces?.map((_, index) => index) ?? [1, 2, 3],
      finishReason: 'stop',
      ...start,
      cachedTokens: 0,
      timing: { queueMs: 1, prefillMs: 2, decodeMs: 4 },
    };
  }

  async countTokens(texts: readonly string[]): Promise<number[]> {
    return texts.map((text) => text.split(/\s+/).filter(Boolean).length + 2);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #unlessCancelled(work: Promise<void>, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) reject(this.#cancel());
      const onAbort = (): void => reject(this.#cancel());
      signal?.addEventListener('abort', onAbort, { once: true });
      work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', onAbort));
    });
  }

  #cancel(): CancelledError {
    this.cancelled += 1;
    return new CancelledError('the request was withdrawn');
  }
}

/** Texts that share words are near each other. */
function bagOfWords(text: string): Float32Array {
  const vector = new Float32Array(DIMENSIONS).fill(0.01);
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) {
    const at = [...word].reduce((hash, letter) => (hash * 31 + (letter.codePointAt(0) ?? 0)) % DIMENSIONS, 7);
    vector[at] = (vector[at] ?? 0) + 1;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
