/** One try of a request at one pod. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Endpoint } from './endpoint.ts';

export type AttemptFailure = 'refused' | 'silent' | 'broken';

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
}

/** Who is told what becomes of it, nothing once it is withdrawn. After its end or failure the listener releases it. */
export interface AttemptListener {
  onHead(attempt: Attempt, status: number, headers: IncomingHttpHeaders): void;
  onData(attempt: Attempt, chunk: Buffer): void;
  onEnd(attempt: Attempt): void;
  onFailure(attempt: Attempt, failure: AttemptFailure, cause: Error): void;
}

class WithdrawnError extends Error {
  override readonly name = 'WithdrawnError';
}

/** No stack: nobody reads it, and taking one is the dearest part of a withdrawal. */
const WITHDRAWN = new WithdrawnError('the request is no longer wanted');

/** Counts as in flight at its endpoint from its making until it is released. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly endpoint: Endpoint;
  readonly startedAt: number;
  /** Whether the head of an answer has come. */
  hasBegun = false;
  readonly #listener: AttemptListener;
  #controller: Dispatcher.DispatchController | undefined;
  #patience: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(endpoint: Endpoint, listener: AttemptListener, now: number) {
    this.endpoint = endpoint;
    this.#listener = listener;
    this.startedAt = now;
    endpoint.attempts.add(this);
  }

  send({ method, path, headers, body }: UpstreamRequest): void {
    // Repeating is the proxy's business: a connection carries one request at a time.
    this.endpoint.pool.dispatch(
      { method: method as Dispatcher.HttpMethod, path, headers, body, idempotent: true },
      this,
    );
  }

  /** Nothing more is wanted of it: the pod sees its client leave. */
  withdraw(): void {
    this.#endEarly();
    this.release();
  }

  /** What it still gets is short and not wanted: its connection stays for the next. */
  forget(): void {
    this.#ended = true;
    this.release();
  }

  /** Gives it up as failed before the pod has begun to answer. */
  giveUp(failure: AttemptFailure, cause: Error): void {
    if (this.#endEarly()) this.#listener.onFailure(this, failure, cause);
  }

  /** A pod that has not begun to answer by then is given up as silent. */
  giveUpAfter(ms: number): void {
    this.#patience = setTimeout(() => {
      if (!this.hasBegun) this.giveUp('silent', new Error(`no answer began within ${ms} ms`));
    }, ms);
  }

  /** It takes no room at its pod any more. */
  release(): void {
    clearTimeout(this.#patience);
    this.endpoint.attempts.delete(this);
  }

  /** The reader of the answer cannot take more. */
  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Withdrawn while it waited for a connection.
    if (this.#ended) controller.abort(WITHDRAWN);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#ended || status < 200) return;
    this.hasBegun = true;
    this.#listener.onHead(this, status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#ended) this.#listener.onData(this, chunk);
  }

  onResponseEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onEnd(this);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onFailure(this, failureOf(error), error);
  }

  #endEarly(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#controller?.abort(WITHDRAWN);
    return true;
  }
}

/** Nothing listens, or nobody is there; the machine does not answer; or it broke off. */
const FAILURES: Readonly<Record<string, AttemptFailure>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EHOSTDOWN: 'refused',
  ENOTFOUND: 'refused',
  EADDRNOTAVAIL: 'refused',
  UND_ERR_CONNECT_TIMEOUT: 'silent',
  ETIMEDOUT: 'silent',
  UND_ERR_BODY_TIMEOUT: 'silent',
};

export function failureOf(error: Error): AttemptFailure {
  // Several addresses of one name: what the first said stands for all.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return (typeof code === 'string' ? FAILURES[code] : undefined) ?? 'broken';
}
