/** The messages between the main thread and the engine thread. */
import type { Embeddings, EngineOptions, Generation, GenerationSettings, Prompt } from './engine-api.ts';
import { CancelledError, ContextLengthError, EngineClosedError, ModelFolderError, RuntimeError } from './errors.ts';
import type { DecoderManifest, EncoderManifest } from './manifest.ts';

/** Given to the thread when it starts. */
export type EngineThreadData = Required<Omit<EngineOptions, 'context'>> & Pick<EngineOptions, 'context'>;

export type Work =
  | { readonly kind: 'embed'; readonly texts: readonly string[]; readonly as: 'query' | 'passage' }
  | { readonly kind: 'generate'; readonly prompt: Prompt; readonly settings: GenerationSettings }
  | { readonly kind: 'countTokens'; readonly texts: readonly string[] };

export interface Results {
  embed: Embeddings;
  generate: Generation;
  countTokens: number[];
}

/** `sentAt` in milliseconds since the epoch, with fractions: the two threads share that clock. */
export type ToThread =
  | { readonly type: 'work'; readonly id: number; readonly sentAt: number; readonly work: Work }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'close' };

export interface Ready {
  readonly type: 'ready';
  readonly embedder: EncoderManifest;
  readonly generator: DecoderManifest;
  readonly context: number;
  readonly runtime: { readonly name: 'c-api' | 'node-api'; readonly fallbackReason?: string };
  readonly runOptionsAddress?: bigint;
}

export type FromThread =
  | Ready
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'done'; readonly id: number; readonly result: Results[keyof Results] }
  | { readonly type: 'refused'; readonly id: number; readonly error: PlainError };

/** An error as structured cloning leaves it whole: it would lose the class and the fields. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly context?: Pick<ContextLengthError, 'what' | 'tokens' | 'limit'>;
}

export function toPlainError(error: unknown): PlainError {
  if (error instanceof ContextLengthError) {
    const { name, message, what, tokens, limit } = error;
    return { name, message, context: { what, tokens, limit } };
  }
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

export function fromPlainError(plain: PlainError): Error {
  if (plain.context) return new ContextLengthError(plain.context.what, plain.context.tokens, plain.context.limit);
  const known = [CancelledError, EngineClosedError, ModelFolderError, RuntimeError].find(
    (type) => type.name === plain.name,
  );
  return new (known ?? Error)(plain.message);
}

/** Milliseconds since the epoch, with fractions and without jumps. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
