/** One try of a request at one pod. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Member } from './crowd.ts';
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
  /** The pod answers no probes. */
  onSilence(attempt: Attempt): void;
  /** The pod has not begun to answer within the time that was given. */
  onOverdue(attempt: Attempt): void;
}

class WithdrawnError extends Error {
  override readonly name = 'WithdrawnError';
}

/** No stack: nobody reads it, and taking one is the dearest part of a withdrawal. */
const WITHDRAWN = new WithdrawnError('the request is no longer wanted');

/** An answer that is not wanted may take so much until it costs more than its connection is worth. */
const UNWANTED_BYTES = 65_536;
const UNWANTED_MS = 1_000;

/** Counts as in flight at its endpoint from its making until it is released. */
export class Attempt implements Dispatcher.DispatchHandler, Member {
  readonly endpoint: Endpoint;
  readonly startedAt: number;
  seat = -1;
  readonly #listener: AttemptListener;
  #controller: Dispatcher.DispatchController | undefined;
  #patience: NodeJS.Timeout | undefined;
  #ended = false;
  /** Bytes of an answer that is not wanted. */
  #unwanted = 0;

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
    this.release();
    if (this.#ended) return;
    this.#ended = true;
    this.#controller?.abort(WITHDRAWN);
  }

  /** What it still gets is short and not wanted: its connection stays for the next. */
  forget(): void {
    this.#ended = true;
    this.release();
    this.#patience = setTimeout(() => this.#controller?.abort(WITHDRAWN), UNWANTED_MS);
  }

  /** The pod answers no probes: whoever listens may withdraw it. */
  silent(): void {
    if (!this.#ended) this.#listener.onSilence(this);
  }

  /** How long the pod has until it must begin to answer. */
  isDueWithin(ms: number): void {
    this.#patience = setTimeout(() => this.#listener.onOverdue(this), ms);
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
    clearTimeout(this.#patience);
    this.#listener.onHead(this, status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#ended) {
      this.#listener.onData(this, chunk);
      return;
    }
    this.#unwanted += chunk.length;
    if (this.#unwanted > UNWANTED_BYTES) controller.abort(WITHDRAWN);
  }

  onResponseEnd(): void {
    clearTimeout(this.#patience);
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onEnd(this);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#patience);
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onFailure(this, failureOf(error), error);
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
