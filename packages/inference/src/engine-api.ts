/** What the main thread can ask of the engine thread. Every call is a message; none of them blocks the event loop. */
import type { DecoderManifest, EncoderManifest } from './manifest.ts';

export interface EngineOptions {
  /** Model folder of the embedder. */
  readonly embedder: string;
  /** Model folder of the generator. */
  readonly generator: string;
  /** Threads of ONNX Runtime per session; the engine thread is one of them. */
  readonly threads: number;
  /** Rows of the KV cache. */
  readonly slots: number;
  /** Tokens per slot, prompt and answer together; at most the model's maximum, which is the default. */
  readonly context?: number;
  /** `c-api` runs in place; `node-api` is the ordinary binding; `auto` (default) takes the first where its library opens. */
  readonly runtime?: RuntimeChoice;
}

export type RuntimeChoice = 'auto' | 'c-api' | 'node-api';

export interface Engine {
  readonly embedder: EncoderManifest;
  readonly generator: DecoderManifest;
  /** The runtime in use, and why not the first choice where it is not. */
  readonly runtime: { readonly name: 'c-api' | 'node-api'; readonly fallbackReason?: string };
  /** Tokens per slot. */
  readonly context: number;
  /** Rejects when the engine thread dies by itself; never resolves. The pod ends on it. */
  readonly failed: Promise<never>;

  /**
   * One vector per text, L2-normalised, of `embedder.dimensions.hidden` floats, in order.
   * @throws ContextLengthError (a text is too long), CancelledError, EngineClosedError
   */
  embed(texts: readonly string[], as: 'query' | 'passage', signal?: AbortSignal): Promise<Embeddings>;

  /**
   * Generates an answer. With `passages`, the prompt is built here: passages that do not fit beside the question and
   * `maxTokens` are left out from the last.
   * @throws ContextLengthError (not even the bare question fits), CancelledError, EngineClosedError
   */
  generate(prompt: Prompt, settings: GenerationSettings, signal?: AbortSignal): Promise<Generation>;

  /** How many tokens each text has as the embedder counts them, the special ones included. */
  countTokens(texts: readonly string[]): Promise<number[]>;

  /** Refuses new work, cancels what runs, frees everything. Idempotent. */
  close(): Promise<void>;
}

export type Prompt = { readonly text: string } | { readonly question: string; readonly passages: readonly string[] };

export interface GenerationSettings {
  readonly maxTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Nucleus: the smallest set of tokens with at least this probability; 1 is all. */
  readonly topP: number;
  /** The k most likely tokens; 0 is all. */
  readonly topK: number;
  /** Makes a sampled answer repeatable; drawn at random when absent. */
  readonly seed?: number;
  /** The answer ends before the first of these. */
  readonly stop: readonly string[];
  /** Do not end at the end-of-sequence token: for benchmarks of exact lengths. */
  readonly ignoreEos?: boolean;
  /** Return the log-probability of each token. */
  readonly logprobs?: boolean;
}

export const GREEDY: Omit<GenerationSettings, 'maxTokens'> = { temperature: 0, topP: 1, topK: 0, stop: [] };

export interface Embeddings {
  readonly vectors: readonly Float32Array[];
  readonly tokens: number;
  readonly timing: { readonly queueMs: number; readonly runMs: number };
}

export interface Generation {
  readonly text: string;
  /** Ids of the answer's tokens, the end-of-sequence token not among them. */
  readonly tokens: readonly number[];
  /** Natural logarithms, one per token, when asked for. */
  readonly logprobs?: readonly number[];
  readonly finishReason: 'stop' | 'length';
  readonly promptTokens: number;
  /** How many of the given passages went into the prompt: always the first ones. */
  readonly passagesUsed: number;
  readonly timing: { readonly queueMs: number; readonly prefillMs: number; readonly decodeMs: number };
}
