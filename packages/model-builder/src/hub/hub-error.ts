/** In which ways can pulling a model fail? Each in one line for the person who asked, and a code for programs. */

export type HubErrorCode =
  | 'bad-name'
  | 'not-found'
  | 'gated'
  | 'unauthorized'
  | 'forbidden'
  | 'unreachable'
  | 'timeout'
  | 'rate-limited'
  | 'server'
  | 'protocol'
  | 'checksum'
  | 'disk-full'
  | 'cache'
  | 'offline'
  | 'no-weights';

export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A failure that may be over when it is tried again. */
export class PassingFailure extends Error {
  override readonly name = 'PassingFailure';
  /** What to say when it is not over. */
  readonly lasting: HubError;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  constructor(lasting: HubError, retryAfterMs?: number) {
    super(lasting.message, { cause: lasting });
    this.lasting = lasting;
    this.retryAfterMs = retryAfterMs;
  }
}
