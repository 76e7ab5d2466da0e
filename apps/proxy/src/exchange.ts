/** One request from its arrival to its end: counted, admitted, tried, answered or refused, written down. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { unclearHost } from '@ragscale/service/clear-requests';
import { DEADLINE_HEADER, deadlineMs } from '@ragscale/service/deadline';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { CLIENT_CLOSED_STATUS } from '@ragscale/service/metric-catalogue';
import { requestIdFrom } from '@ragscale/service/request-id';
import type { RequestSpan } from '@ragscale/service/tracing';
import type { ExchangeParts } from './exchange-parts.ts';
import { endSpan, writeLine } from './exchange-record.ts';
import { type ReadBody, readBody, refuseTooLarge } from './request-body.ts';
import type { Route } from './route.ts';
import { Tries } from './tries.ts';

const FORWARDED_METHODS = ['GET', 'HEAD', 'POST'];
const ALLOWED = FORWARDED_METHODS.join(', ');

export class Exchange {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly route: Route;
  readonly span: RequestSpan | undefined;
  /** On the clock of `performance.now()`, as all times here. */
  readonly arrivedAt = performance.now();
  /** Whose API key it came with. */
  keyName: string | undefined;
  tries: Tries | undefined;
  /** Why there was no answer, or only part of one. */
  error: ServiceError | undefined;
  readonly #parts: ExchangeParts;
  readonly #response: ServerResponse;
  #deadlineMs = 0;
  #deadline: NodeJS.Timeout | undefined;
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

  /** @throws ServiceError when it may not come in */
  #admit(): void {
    const { settings, lifecycle, paths, keys, bodies } = this.#parts;
    const { request } = this;
    const { method = '', url = '', headers } = request;
    if (lifecycle.state === 'draining') throw new ServiceError('draining', {});
    const unclear = unclearHost(request);
    if (unclear !== undefined) throw unclear;
    if (!FORWARDED_METHODS.includes(method)) {
      throw new ServiceError('method_not_allowed', { allowed: ALLOWED }, { headers: { allow: ALLOWED } });
    }
    if (!paths.includes(url)) throw new ServiceError('not_found', {});
    this.keyName = keys?.admit(headers.authorization, this.arrivedAt);
    this.#deadlineMs = deadlineMs(headers[DEADLINE_HEADER], settings.deadlines);
    refuseTooLarge(request, settings.body);
    this.#deadline = setTimeout(() => this.#fail(this.#deadlineError()), this.#deadlineMs);
    readBody(request, settings.body, bodies, {
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
    this.tries?.withdraw();
    metrics.rejected(this.route.name, error.code);
    if (this.tries?.delivery?.begun === true) this.tries.delivery.breakOff(error);
    else this.#answer(error);
  }

  #answer(error: ServiceError): void {
    const response = this.#response;
    const body = Buffer.from(JSON.stringify(error.toBody()));
    // What has not come of the body is not waited for.
    const closes = !this.request.complete || this.#parts.lifecycle.state !== 'ready';
    response.writeHead(error.status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      'x-request-id': this.requestId,
      ...error.headers,
      ...(closes ? { connection: 'close' } : {}),
    });
    response.end(body);
  }

  /** The connection has taken all of the answer, or is gone. */
  #end(): void {
    const now = performance.now();
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.tries?.withdraw();
    this.#giveBack();
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
