/** In which ways can a generator elsewhere fail, which of them pass, and what is a client told? */
import { type ErrorContext, ServiceError } from '@ragscale/service/error-catalogue';

/**
 * `unreachable`: no connection; `busy`: 429; `failing`: 5xx; `silent`: nothing came in time; `broken`: the connection ended in the middle;
 * `garbled`: what came is not the protocol; `refused`: any other status; `too-long`: more tokens than its model takes.
 */
export type FailureKind = 'unreachable' | 'busy' | 'failing' | 'silent' | 'broken' | 'garbled' | 'refused' | 'too-long';

/** Those that another attempt may not meet. A server that was silent for so long has more work already than it can do. */
const PASSING: ReadonlySet<FailureKind> = new Set(['unreachable', 'busy', 'failing', 'broken']);

export class GeneratorFailure extends Error {
  override readonly name = 'GeneratorFailure';
  readonly kind: FailureKind;
  /** As the server asks for it. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: FailureKind, message: string, { retryAfterMs, ...options }: FailureOptions = {}) {
    super(message, options);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }

  get passes(): boolean {
    return PASSING.has(this.kind);
  }
}

export interface FailureOptions extends ErrorOptions {
  readonly retryAfterMs?: number | undefined;
}

/** What the client of the pod is told. What the server elsewhere said is for the log: it may name what is nobody's business. */
const ANSWERS: Readonly<Record<FailureKind, (context: ErrorContext) => ServiceError>> = {
  busy: (context) => new ServiceError('queue_full', { detail: 'the generator has too many requests already' }, context),
  unreachable: (context) => new ServiceError('generator_unavailable', {}, context),
  failing: (context) => new ServiceError('generator_unavailable', {}, context),
  silent: (context) => new ServiceError('generator_unavailable', {}, context),
  broken: (context) => new ServiceError('generator_failed', {}, context),
  garbled: (context) => new ServiceError('generator_failed', {}, context),
  refused: (context) => new ServiceError('generator_failed', {}, context),
  'too-long': (context) =>
    new ServiceError(
      'context_length_exceeded',
      { detail: 'prompt and answer are longer than the generator takes: shorten the question or lower max_tokens' },
      context,
    ),
};

export function answerTo(failure: GeneratorFailure): ServiceError {
  const { retryAfterMs, kind } = failure;
  return ANSWERS[kind]({
    cause: failure,
    ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: retryAfterMs / 1_000 }),
  });
}
