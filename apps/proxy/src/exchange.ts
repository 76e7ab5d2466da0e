/** One request from its arrival to its end: counted, admitted, tried, answered or refused, written down. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEADLINE_HEADER, deadlineMs } from '@ragscale/service/deadline';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { CLIENT_CLOSED_STATUS } from '@ragscale/service/metric-catalogue';
import { requestIdFrom } from '@ragscale/service/request-id';
import type { RequestSpan } from '@ragscale/service/tracing';
import { unclearHead } from './clear-head.ts';
import type { Member } from './crowd.ts';
import type { ExchangeParts } from './exchange-parts.ts';
import { endSpan, writeLine } from './exchange-record.ts';
import { lingerAfter } from './linger.ts';
import { declaredBytes, type ReadBody, readBody, refuseTooLarge } from './request-body.ts';
import type { Route } from './route.ts';
import type { Served } from './server.ts';
import { Tries } from './tries.ts';

const FORWARDED_METHODS = ['GET', 'HEAD', 'POST'];
const ALLOWED = FORWARDED_METHODS.join(', ');

/** Of a body that is refused before it has come: up to here it is thrown away, and its connection stays. */
const SKIPPED_BYTES = 65_536;

export class Exchange implements Served, Member {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly route: Route;
  readonly span: RequestSpan | undefined;
  /** On the clock of `performance.now()`, as all times here. */
  readonly arrivedAt = performance.now();
  /** Whose API key it came with. */
  keyName: string | undefined;
  tries: Tries | undefined;
  isLast = false;
  seat = -1;
  /** Why there was no answer, or only part of one. */
  error: ServiceError | undefined;
  readonly #parts: ExchangeParts;
  readonly #response: ServerResponse;
  #deadlineMs = 0;
  #deadline: NodeJS.Timeout | undefined;
  #stopReading: (() => void) | undefined;
  #keptBytes = 0;
  #ended = false;

  constructor(parts: ExchangeParts, request: IncomingMessage, response: ServerResponse) {
    this.#parts = parts;
    this.request = request;
    this.#response = response;
    const { headers } = request;
    const { route, error } = parts.routes.choose(headers);
    this.route = route;
    parts.metrics.arrived(route.name);
    this.requestId = requestIdFrom(headers['x-request-id']);
    this.span = parts.tracing?.begin(headers, request.method ?? '', performance.timeOrigin + this.arrivedAt);
    parts.lifecycle.begin();
    parts.exchanges.add(this);
    response.on('close', () => this.#end());
    try {
      if (error !== undefined) throw error;
      this.#admit();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** The proxy ends, and waits no longer. */
  abort(): void {
    this.#fail(new ServiceError('draining', {}));
  }

  spoilt(error: ServiceError): boolean {
    if (this.#ended) return false;
    if (!this.isLast) {
      this.isLast = true;
      const response = this.#response;
      if (!response.headersSent) response.setHeader('connection', 'close');
      response.once('finish', () => this.request.socket.destroySoon());
    }
    if (!this.request.complete) this.#fail(error);
    return true;
  }

  /** @throws ServiceError when it may not come in */
  #admit(): void {
    const { settings, lifecycle, paths, keys, bodies } = this.#parts;
    const { request } = this;
    const { method = '', url = '', headers } = request;
    if (lifecycle.state === 'draining') throw new ServiceError('draining', {});
    const unclear = unclearHead(request);
    if (unclear !== undefined) throw unclear;
    if (!FORWARDED_METHODS.includes(method)) {
      throw new ServiceError('method_not_allowed', { allowed: ALLOWED }, { headers: { allow: ALLOWED } });
    }
    if (!paths.includes(url)) throw new ServiceError('not_found', {});
    this.keyName = keys?.admit(headers.authorization, this.arrivedAt);
    this.#deadlineMs = deadlineMs(headers[DEADLINE_HEADER], settings.deadlines);
    refuseTooLarge(request, settings.body);
    this.#deadline = setTimeout(() => this.#fail(this.#deadlineError()), this.#deadlineMs);
    if (this.#isExpecting) this.#response.writeContinue();
    this.#stopReading = readBody(request, settings.body, bodies, {
      onRead: (read) => this.#begin(read),
      onRefused: (error) => this.#fail(error),
    });
  }

  #begin({ body, keptBytes }: ReadBody): void {
    this.#keptBytes = keptBytes;
    if (this.error !== undefined || this.#ended) {
      this.#giveBack();
      return;
    }
    const { request, requestId, span, arrivedAt } = this;
    const deadlineAt = arrivedAt + this.#deadlineMs;
    const asked = { request, response: this.#response, requestId, span, arrivedAt, deadlineAt, body };
    this.tries = new Tries(this.#parts, this.route, asked, (error) => this.#fail(error));
    this.tries.begin(keptBytes);
  }

  #deadlineError(): ServiceError {
    return new ServiceError('deadline_exceeded', { deadlineMs: this.#deadlineMs });
  }

  #fail(thrown: unknown): void {
    if (this.error !== undefined || this.#ended) return;
    const error = thrown instanceof ServiceError ? thrown : new ServiceError('internal', {}, { cause: thrown });
    const { metrics, logger } = this.#parts;
    if (error.code === 'internal') logger.error({ err: thrown, requestId: this.requestId }, 'internal error');
    this.error = error;
    this.#stopReading?.();
    this.tries?.withdraw();
    metrics.rejected(this.route.name, error.code);
    if (this.tries?.delivery?.begun === true) this.tries.delivery.breakOff(error);
    else this.#answer(error);
  }

  #answer(error: ServiceError): void {
    const response = this.#response;
    const body = Buffer.from(JSON.stringify(error.toBody()));
    this.isLast ||= this.#closesAfter(error);
    if (this.isLast && !this.request.complete) lingerAfter(this.request);
    response.writeHead(error.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'x-request-id': this.requestId,
      ...error.headers,
      ...(this.isLast ? { connection: 'close' } : {}),
    });
    response.end(body);
  }

  /** What is still to come of a body is not waited for, unless it is short. */
  #closesAfter(error: ServiceError): boolean {
    const { request } = this;
    if (this.#parts.lifecycle.state !== 'ready' || error.code === 'malformed_http') return true;
    // Whether a client sends its body that was not told to continue is anybody's guess.
    const isSkipped = this.#stopReading === undefined && !this.#isExpecting && declaredBytes(request) <= SKIPPED_BYTES;
    return !request.complete && !isSkipped;
  }

  /** RFC 9110, 10.1.1: an expectation of HTTP/1.0 is none. */
  get #isExpecting(): boolean {
    return this.request.headers.expect !== undefined && this.request.httpVersionMinor > 0;
  }

  /** The connection has taken all of the answer, or is gone. */
  #end(): void {
    const now = performance.now();
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.tries?.withdraw();
    this.#giveBack();
    // What nobody has read would stand in the way of the next request on the connection.
    if (!this.request.readableEnded) this.request.unpipe().resume();
    const { metrics, lifecycle, exchanges, accessLog } = this.#parts;
    const status = this.#status();
    metrics.requestEnded(this.route.name, status, (this.tries?.delivery?.firstTokenAt ?? now) - this.arrivedAt);
    exchanges.delete(this);
    lifecycle.end();
    endSpan(this, status, now);
    if (accessLog.wants(status, now)) writeLine(accessLog, this, status, now);
  }

  #giveBack(): void {
    this.#parts.bodies.give(this.#keptBytes);
    this.#keptBytes = 0;
  }

  /** As it counts: a stream that broke under what broke it. */
  #status(): number {
    if (this.error !== undefined) return this.error.status;
    if (!this.#response.writableFinished) return Number(CLIENT_CLOSED_STATUS);
    return this.tries?.delivery?.sawError === true ? 502 : this.#response.statusCode;
  }
}
