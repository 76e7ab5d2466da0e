/** How a request gets its answer: its turn in the line, a pod, perhaps another pod, perhaps two at once; the first that answers is taken. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Ticket } from '@ragscale/service/admission-queue';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { SLOTS_HEADER } from '@ragscale/service/ragscale-headers';
import type { RequestSpan } from '@ragscale/service/tracing';
import { Attempt, type AttemptFailure, type AttemptListener } from './attempt.ts';
import { Delivery } from './delivery.ts';
import type { Endpoint } from './endpoint.ts';
import type { ExchangeParts } from './exchange-parts.ts';
import { requestHeaders, responseHeaders } from './heads.ts';
import { lingerAfter } from './linger.ts';
import type { Route, Waiter } from './route.ts';
import { answerWhenRefused, verdictOn } from './verdict.ts';

/** How often pods that are busy may turn a request away until the client is told so. */
const MAX_TURNED_AWAY = 10;

export interface TriedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly span: RequestSpan | undefined;
  /** On the clock of `performance.now()`, as all times here. */
  readonly arrivedAt: number;
  readonly deadlineAt: number;
  /** A stream can be sent once only. */
  readonly body: Buffer | Readable | null;
}

export class Tries implements Waiter, AttemptListener {
  /** Pods that it was with, in order. */
  readonly tried: Endpoint[] = [];
  readonly stickyKey: string | undefined;
  /** When the first pod got it, the last, and when an answer had come whole. */
  firstAt: number | undefined;
  lastAt: number | undefined;
  answeredAt: number | undefined;
  delivery: Delivery | undefined;
  readonly #parts: ExchangeParts;
  readonly #route: Route;
  readonly #asked: TriedRequest;
  readonly #onFailed: (error: ServiceError) => void;
  #ticket: Ticket<Waiter> | undefined;
  /** What pods are working on: two while a request is hedged. */
  readonly #live: Attempt[] = [];
  #failures = 0;
  #turnedAway = 0;
  #hedge: NodeJS.Timeout | undefined;

  /** @param onFailed there will be no answer; called once at most */
  constructor(parts: ExchangeParts, route: Route, asked: TriedRequest, onFailed: (error: ServiceError) => void) {
    this.#parts = parts;
    this.#route = route;
    this.#asked = asked;
    this.#onFailed = onFailed;
    const { stickyHeader } = parts.settings;
    const key = stickyHeader === undefined ? undefined : asked.request.headers[stickyHeader];
    this.stickyKey = Array.isArray(key) ? key[0] : key;
  }

  /** Stands in line; the turn may come at once. @param bytes that its body takes meanwhile */
  begin(bytes: number): void {
    const now = performance.now();
    const route = this.#route;
    if (route.group.hopeless) {
      this.hopeless();
      return;
    }
    const entered = route.enter(this, bytes, this.#asked.deadlineAt, now);
    if ('reason' in entered) {
      this.#onFailed(answerWhenRefused(entered));
      return;
    }
    this.#ticket = entered;
    route.pump(now);
  }

  /** Nothing is wanted any more. */
  withdraw(): void {
    clearTimeout(this.#hedge);
    if (this.#ticket === undefined && this.#live.length === 0) return;
    const now = performance.now();
    this.#leave('gone', now);
    this.#dropAllBut(undefined);
    this.#route.pump(now);
  }

  assigned(endpoint: Endpoint): void {
    const now = performance.now();
    if (this.firstAt === undefined) {
      this.firstAt = now;
      this.#route.retries.requested(now);
      this.#route.hedges.requested(now);
    }
    this.#try(endpoint, now);
    this.#armHedge();
  }

  late(): void {
    const { arrivedAt, deadlineAt } = this.#asked;
    this.#onFailed(new ServiceError('deadline_exceeded', { deadlineMs: Math.round(deadlineAt - arrivedAt) }));
  }

  hopeless(): void {
    this.#onFailed(new ServiceError('no_backend', {}));
  }

  onHead(attempt: Attempt, status: number, headers: IncomingHttpHeaders): void {
    const now = performance.now();
    attempt.endpoint.announced(headers[SLOTS_HEADER]);
    const verdict = verdictOn(status, headers);
    if (verdict.kind === 'busy') {
      this.#parts.onBusy(this.#route, attempt.endpoint, verdict.retryAfterSeconds, now);
      if (this.#live.length > 1 || (this.#canRepeat && this.#turnedAway < MAX_TURNED_AWAY)) {
        this.#sendElsewhere(attempt, now);
        return;
      }
    } else if (verdict.kind === 'failed') {
      this.#parts.onFailed(this.#route, attempt.endpoint, 'status', now);
      if (this.#live.length > 1 || this.#mayRetry(attempt.endpoint, now)) {
        this.#unlist(attempt);
        attempt.forget();
        this.#again('status', now);
        return;
      }
    }
    this.#route.beginnings.add(now - attempt.startedAt);
    this.#commit(attempt, status, headers);
  }

  onData(attempt: Attempt, chunk: Buffer): void {
    if (this.delivery?.attempt === attempt) this.delivery.data(chunk);
  }

  onEnd(attempt: Attempt): void {
    const now = performance.now();
    const { delivery } = this;
    this.#unlist(attempt);
    // In this order: the line must see that the pod was full until now.
    this.#leave('done', now);
    attempt.release();
    if (delivery?.attempt === attempt) {
      const ms = now - attempt.startedAt;
      this.answeredAt = now;
      if (verdictOn(delivery.status, {}).kind === 'answer') attempt.endpoint.answered(ms, now);
      delivery.end();
      this.#parts.metrics.upstreamEnded(this.#route.name, ms);
    }
    this.#route.pump(now);
  }

  onFailure(attempt: Attempt, failure: AttemptFailure, cause: Error): void {
    const now = performance.now();
    this.#unlist(attempt);
    attempt.release();
    if ('code' in cause && cause.code === 'UND_ERR_INVALID_ARG') {
      const detail = 'a header or the path cannot be sent on';
      this.#onFailed(new ServiceError('malformed_http', { detail }, { cause }));
      return;
    }
    // A body that is passed through can end in the middle, with its client, or be too large: no fault of the pod.
    const { request } = this.#asked;
    if (request.destroyed && !request.complete) return;
    if (cause instanceof ServiceError) {
      this.#onFailed(cause);
      return;
    }
    // A pod that refuses a body which it has not read may close over the rest: that says nothing about the pod.
    if (failure !== 'broken' || this.#canRepeat) this.#parts.onFailed(this.#route, attempt.endpoint, failure, now);
    if (this.delivery?.attempt === attempt) {
      if (this.delivery.begun) {
        this.#onFailed(new ServiceError('upstream_failed', {}, { cause }));
        return;
      }
      this.delivery = undefined;
    }
    if (this.#live.length === 0 && this.#route.group.hopeless) this.hopeless();
    else if (this.#live.length > 0 || this.#mayRetry(attempt.endpoint, now)) this.#again(failure, now);
    else this.#onFailed(new ServiceError('upstream_failed', {}, { cause }));
  }

  /** Another pod gets it where one may; else it stays, since silence can end. */
  onSilence(attempt: Attempt): void {
    if (this.delivery?.begun === true) return;
    const now = performance.now();
    const isHedged = this.#live.length > 1;
    if (!isHedged && !(this.#route.group.hasOther(this.tried) && this.#mayRetry(attempt.endpoint, now))) return;
    if (this.delivery?.attempt === attempt) this.delivery = undefined;
    this.#unlist(attempt);
    attempt.withdraw();
    this.#again('silent', now);
  }

  onOverdue(attempt: Attempt): void {
    this.#parts.onFailed(this.#route, attempt.endpoint, 'silent', performance.now());
    this.onSilence(attempt);
  }

  #try(endpoint: Endpoint, now: number): void {
    const { request, requestId, span, deadlineAt, body } = this.#asked;
    const { settings, keys } = this.#parts;
    this.lastAt = now;
    this.tried.push(endpoint);
    const attempt = new Attempt(endpoint, this, now);
    this.#live.push(attempt);
    const headers = requestHeaders(request, {
      requestId,
      remainingMs: deadlineAt - now,
      traceparent: span?.traceparent,
      tracestate: span?.tracestate,
      trustedHops: settings.trustedHops,
      keepsAuthorization: keys !== undefined,
    });
    if (settings.tryTimeoutMs > 0) attempt.isDueWithin(settings.tryTimeoutMs);
    attempt.send({ method: request.method ?? 'GET', path: request.url ?? '/', headers, body });
  }

  /** The pod was busy and has done nothing: that is no try, and costs none of the budget. It may get the request again. */
  #sendElsewhere(attempt: Attempt, now: number): void {
    this.#turnedAway += 1;
    this.tried.splice(this.tried.lastIndexOf(attempt.endpoint), 1);
    this.#unlist(attempt);
    attempt.forget();
    this.#again('busy', now);
  }

  /** Back to the head of the line, unless the other of a hedged request may still answer. */
  #again(reason: AttemptFailure | 'status' | 'busy', now: number): void {
    if (this.#live.length === 0) {
      this.#parts.metrics.retried(this.#route.name, reason);
      this.#route.again(this);
    }
    this.#route.pump(now);
  }

  /** The first pod that answers is the one whose answer goes out. */
  #commit(attempt: Attempt, status: number, received: IncomingHttpHeaders): void {
    clearTimeout(this.#hedge);
    const isHedged = this.#live.length > 1;
    this.#dropAllBut(attempt);
    const { request, response, requestId, arrivedAt } = this.#asked;
    const waitMs = (this.firstAt ?? attempt.startedAt) - arrivedAt;
    const timing = `proxy-wait;dur=${waitMs.toFixed(3)}, proxy-tries;desc="${this.tried.length}"`;
    // Of a body that is passed through the pod may leave a part unread.
    if (!request.complete) lingerAfter(request);
    const closes = this.#parts.lifecycle.state !== 'ready' || !request.complete;
    const headers = responseHeaders(received, { requestId, route: this.#route.name, timing, closes });
    this.delivery = new Delivery(response, attempt, { status, headers }, received, request.method === 'HEAD');
    if (isHedged) this.#route.pump(performance.now());
  }

  #armHedge(): void {
    const { hedgeQuantile } = this.#parts.settings;
    const delayMs = hedgeQuantile === undefined ? undefined : this.#route.beginnings.quantile(hedgeQuantile);
    if (delayMs === undefined || !this.#canRepeat || this.#live.length === 0) return;
    clearTimeout(this.#hedge);
    this.#hedge = setTimeout(() => this.#hedgeNow(), delayMs);
  }

  /** Only where a pod has room that nobody waits for. */
  #hedgeNow(): void {
    const route = this.#route;
    if (this.delivery !== undefined || this.#live.length !== 1 || route.waiting > 0) return;
    const now = performance.now();
    const endpoint = route.group.pick(undefined, this.tried);
    if (endpoint === undefined || this.tried.includes(endpoint) || !route.hedges.tryRetry(now)) return;
    this.#parts.metrics.retried(route.name, 'hedge');
    this.#try(endpoint, now);
  }

  /** Whether there is something that could be sent once more. */
  get #canRepeat(): boolean {
    const { body } = this.#asked;
    return body === null || Buffer.isBuffer(body);
  }

  /** @param failed a pod that is out fails only what it has, which ends by itself: moving that to others costs none of the budget */
  #mayRetry(failed: Endpoint, now: number): boolean {
    if (!this.#canRepeat || this.#failures + 1 >= this.#parts.settings.maxTries) return false;
    if ((failed.able || failed.usable) && !this.#route.retries.tryRetry(now)) return false;
    this.#failures += 1;
    return true;
  }

  #leave(how: 'done' | 'gone', now: number): void {
    if (this.#ticket === undefined) return;
    this.#route.leave(this.#ticket, how, now);
    this.#ticket = undefined;
  }

  #dropAllBut(kept: Attempt | undefined): void {
    for (const attempt of this.#live.splice(0)) {
      if (attempt === kept) this.#live.push(attempt);
      else attempt.withdraw();
    }
  }

  #unlist(attempt: Attempt): void {
    const at = this.#live.indexOf(attempt);
    if (at >= 0) this.#live.splice(at, 1);
  }
}
