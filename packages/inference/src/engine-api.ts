/** What the main thread can ask of the engine thread. Every call is a message; none of them blocks the event loop. */
import type { DeviceChoice, DeviceInUse } from './device.ts';
import type { DecoderManifest, EncoderManifest } from './manifest.ts';

export interface EngineOptions {
  /** Model folder of the embedder. */
  readonly embedder: string;
  /** Model folder of the generator. */
  readonly generator: string;
  /** Threads of ONNX Runtime per session; the engine thread is one of them. */
  readonly threads: number;
  /** Rows of the KV cache: answers that are generated at once. */
  readonly slots: number;
  /** Tokens per slot, prompt and answer together; at most the model's maximum, which is the default. */
  readonly context?: number;
  /** `c-api` runs in place; `node-api` is the ordinary binding; `auto` (default) takes the first where its library opens. */
  readonly runtime?: RuntimeChoice;
  /** Where both models run, always together; `cpu` by default. */
  readonly device?: DeviceChoice;
  readonly batching?: Partial<Batching>;
  /** Told of runs of the models, some time after them: for metrics. */
  readonly onRuns?: (runs: readonly ModelRun[]) => void;
}

export type RuntimeChoice = 'auto' | 'c-api' | 'node-api';

/** How the engine shares its runs among those who wait. */
export interface Batching {
  /** Texts that one run of the embedder takes at most. */
  readonly maxEmbedTexts: number;
  /** How long a run of the embedder waits for more texts, in milliseconds. Without a wait it takes those that came while it was busy. */
  readonly embedWaitMs: number;
  /** Prompt tokens that are computed between two decode steps at most: it bounds the gap between two tokens of an answer. */
  readonly prefillTokens: number;
  /** Copies the cache of a prompt's beginning from a slot that holds the same tokens, instead of computing it again. */
  readonly sharePrefixes: boolean;
}

export const DEFAULT_BATCHING: Batching = {
  maxEmbedTexts: 32,
  embedWaitMs: 0,
  prefillTokens: 256,
  sharePrefixes: true,
};

/** One run of a model, and how many texts or answers it held. */
export interface ModelRun {
  readonly stage: 'embed' | 'prefill' | 'decode';
  readonly size: number;
}

export interface Engine {
  readonly embedder: EncoderManifest;
  readonly generator: DecoderManifest;
  /** The runtime in use, and why not the first choice where it is not. */
  readonly runtime: { readonly name: 'c-api' | 'node-api'; readonly fallbackReason?: string };
  /** Where the models run, and why not elsewhere. */
  readonly device: DeviceInUse;
  /** Tokens per slot. */
  readonly context: number;
  /** Answers that are generated at once. */
  readonly slots: number;
  /** Rejects when the engine thread dies by itself; never resolves. The pod ends on it. */
  readonly failed: Promise<never>;

  /**
   * One vector per text, L2-normalised, of `embedder.dimensions.hidden` floats, in order.
   * @throws ContextLengthError (a text is too long), CancelledError, DeadlineError, EngineClosedError
   */
  embed(texts: readonly string[], as: 'query' | 'passage', options?: CallOptions): Promise<Embeddings>;

  /**
   * Generates an answer. With `passages`, the prompt is built here: passages that do not fit beside the question and
   * `maxTokens` are left out from the last.
   * @throws ContextLengthError (not even the bare question fits), CancelledError, DeadlineError, EngineClosedError
   */
  generate(prompt: Prompt, settings: GenerationSettings, options?: GenerateOptions): Promise<Generation>;

  /** How many tokens each text has as the embedder counts them, the special ones included. */
  countTokens(texts: readonly string[]): Promise<number[]>;

  /** Refuses new work, cancels what runs, frees everything. Idempotent. */
  close(): Promise<void>;
}

export interface CallOptions {
  /** Withdraws the work. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch after which nobody wants the result; it is refused as soon as it cannot be there in time. */
  readonly deadlineAt?: number | undefined;
  /** Place in the line: lower goes first. By default the order of the calls. */
  readonly order?: number | undefined;
}

export interface GenerateOptions extends CallOptions {
  /** Called once, when the prompt is made and its slot is taken, before any text. */
  readonly onStart?: ((start: GenerationStart) => void) | undefined;
  /** Called with each piece of text as it is known; together they are the answer's text. Asked for only where it is streamed. */
  readonly onText?: ((piece: string) => void) | undefined;
}

export interface GenerationStart {
  /** How long it waited for its slot. */
  readonly queueMs: number;
  readonly promptTokens: number;
  /** How many of the given passages went into the prompt: always the first ones. */
  readonly passagesUsed: number;
}

export type Prompt = { readonly text: string } | RagPrompt;

export interface RagPrompt {
  readonly question: string;
  readonly passages: readonly string[];
  /** Stands in front of everything: the system message of a conversation. */
  readonly instructions?: string | undefined;
  /** Earlier questions of a conversation and their answers, oldest first. */
  readonly turns?: readonly Turn[] | undefined;
}

export interface Turn {
  readonly question: string;
  readonly answer: string;
}

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

export interface Generation extends Omit<GenerationStart, 'queueMs'> {
  readonly text: string;
  /** Ids of the answer's tokens, the end-of-sequence token not among them. */
  readonly tokens: readonly number[];
  /** Natural logarithms, one per token, when asked for. */
  readonly logprobs?: readonly number[];
  readonly finishReason: 'stop' | 'length';
  /** Tokens of the prompt whose cache was copied and not computed. */
  readonly cachedTokens: number;
  /** `queueMs` until the slot was taken, `prefillMs` from there to the first token, `decodeMs` from there to the last. */
  readonly timing: { readonly queueMs: number; readonly prefillMs: number; readonly decodeMs: number };
}
