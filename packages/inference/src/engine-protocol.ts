/** The messages between the main thread and the engine thread. */
import type { DeviceInUse } from './device.ts';
import type {
  Batching,
  Embeddings,
  EngineOptions,
  Generation,
  GenerationSettings,
  GenerationStart,
  ModelRun,
  Prompt,
} from './engine-api.ts';
import {
  CancelledError,
  ContextLengthError,
  DeadlineError,
  DeviceError,
  EngineClosedError,
  ModelFolderError,
  RuntimeError,
} from './errors.ts';
import type { DecoderManifest, EncoderManifest } from './manifest.ts';

/** Given to the thread when it starts. */
export type EngineThreadData = Required<Omit<EngineOptions, 'context' | 'batching' | 'onRuns'>> &
  Pick<EngineOptions, 'context'> & { readonly batching: Batching };

export type Work =
  | { readonly kind: 'embed'; readonly texts: readonly string[]; readonly as: 'query' | 'passage' }
  | {
      readonly kind: 'generate';
      readonly prompt: Prompt;
      readonly settings: GenerationSettings;
      /** Whether its start and pieces of its text are wanted as they are known. */
      readonly streamed: boolean;
    }
  | { readonly kind: 'countTokens'; readonly texts: readonly string[] };

export interface Results {
  embed: Embeddings;
  generate: Generation;
  countTokens: number[];
}

/** Times are in milliseconds since the epoch, with fractions: the two threads share that clock. */
export interface WorkMessage {
  readonly type: 'work';
  readonly id: number;
  readonly order: number;
  readonly sentAt: number;
  readonly deadlineAt?: number | undefined;
  readonly work: Work;
}

export type ToThread = WorkMessage | { readonly type: 'cancel'; readonly id: number } | { readonly type: 'close' };

export interface Ready {
  readonly type: 'ready';
  readonly embedder: EncoderManifest;
  readonly generator: DecoderManifest;
  readonly context: number;
  readonly runtime: { readonly name: 'c-api' | 'node-api'; readonly fallbackReason?: string };
  readonly device: DeviceInUse;
  readonly runOptionsAddress?: bigint;
}

/** What became of a call; `done` and `refused` are its end. */
export type EngineEvent =
  | { readonly kind: 'started'; readonly id: number; readonly start: GenerationStart }
  | { readonly kind: 'text'; readonly id: number; readonly text: string }
  | { readonly kind: 'done'; readonly id: number; readonly result: Results[keyof Results] }
  | { readonly kind: 'refused'; readonly id: number; readonly error: PlainError };

export type FromThread =
  | Ready
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'events'; readonly events: readonly EngineEvent[]; readonly runs: readonly ModelRun[] };

/** An error as structured cloning leaves it whole: it would lose the class and the fields. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly context?: Pick<ContextLengthError, 'what' | 'tokens' | 'limit' | 'index'>;
}

export function toPlainError(error: unknown): PlainError {
  if (error instanceof ContextLengthError) {
    const { name, message, what, tokens, limit, index } = error;
    return { name, message, context: { what, tokens, limit, index } };
  }
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

export function fromPlainError(plain: PlainError): Error {
  if (plain.context) {
    const { what, tokens, limit, index } = plain.context;
    return new ContextLengthError(what, tokens, limit, index);
  }
  const known = [CancelledError, DeadlineError, DeviceError, EngineClosedError, ModelFolderError, RuntimeError].find(
    (type) => type.name === plain.name,
  );
  return new (known ?? Error)(plain.message);
}

/** Milliseconds since the epoch, with fractions and without jumps. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
