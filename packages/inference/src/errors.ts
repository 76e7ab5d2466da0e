/** Every way in which inference refuses or fails, as types that a caller can tell apart. */

/** The model folder is missing something or was damaged; the message names the file. */
export class ModelFolderError extends Error {
  override readonly name = 'ModelFolderError';
}

/** ONNX Runtime refused a graph or a run; the message is its own, with what was being done in front. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}

/** CUDA was asked for by name and cannot be used; the message says what was tried and what came of it, in one line. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
}

export type TooLong = 'question' | 'passage' | 'prompt';

/** The input is longer than the model or its slot can take. */
export class ContextLengthError extends Error {
  override readonly name = 'ContextLengthError';
  /** Which input is too long. */
  readonly what: TooLong;
  /** Tokens that were given, including the ones reserved for the answer. */
  readonly tokens: number;
  /** Tokens that fit. */
  readonly limit: number;
  /** Which of several texts. */
  readonly index: number | undefined;

  constructor(what: TooLong, tokens: number, limit: number, index?: number) {
    super(
      what !== 'prompt'
        ? `the ${what} has ${tokens} tokens; the embedder takes at most ${limit}`
        : `the prompt and its answer need ${tokens} tokens; a slot holds ${limit}: shorten the question or lower max_tokens`,
    );
    this.what = what;
    this.tokens = tokens;
    this.limit = limit;
    this.index = index;
  }
}

/** The caller withdrew the work through its signal. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** The result cannot be there by the deadline that the caller gave. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** The engine thread is gone: it was closed, or it crashed with the cause given. */
export class EngineClosedError extends Error {
  override readonly name = 'EngineClosedError';
}
