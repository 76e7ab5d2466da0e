/** One request and its answer: id, clock, log line and count, written where the connection says that it ended. */
import type { ErrorBody, ServiceError } from '@ragscale/service/error-catalogue';
import { CLIENT_CLOSED_STATUS } from '@ragscale/service/metric-catalogue';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import { SLOTS_HEADER } from '@ragscale/service/ragscale-headers';
import type { RequestEnd, RequestSpan, Tracing } from '@ragscale/service/tracing';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { AnswerGate } from './answer-gate.ts';
import { roundedMs } from './rounded-times.ts';

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
}

/** Routes that are asked every few seconds: their lines are for debugging only. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

export class Exchange {
  /** Of the trace, where traces are kept. */
  readonly #span: RequestSpan | undefined;
  #traced: Pick<RequestEnd, 'stages' | 'attributes'> = { stages: [], attributes: {} };
  readonly #arrivedAt = performance.now();
  readonly #fields: Record<string, unknown> = {};
  #breakOff: ((body: ErrorBody) => void) | undefined;
  #brokenStatus: number | undefined;

  constructor(span: RequestSpan | undefined) {
    this.#span = span;
    if (span !== undefined) this.note({ traceId: span.traceId });
  }

  /** What the trace tells of the answer: when each stage was, and counts; never text. */
  trace(traced: Pick<RequestEnd, 'stages' | 'attributes'>): void {
    this.#traced = traced;
  }

  /** Hands the trace over, if there is one. */
  endTrace(method: string, route: string, status: number, durationMs: number): void {
    const { errorCode } = this.#fields;
    this.#span?.end({
      status,
      endedAtMs: performance.timeOrigin + this.#arrivedAt + durationMs,
      stages: this.#traced.stages,
      attributes: { 'http.request.method': method, 'http.route': route, ...this.#traced.attributes },
      ...(typeof errorCode === 'string' ? { error: errorCode } : {}),
    });
  }

  /** Milliseconds since the request's headers were read. */
  elapsedMs(): number {
    return performance.now() - this.#arrivedAt;
  }

  /** Adds fields to the log line; never the text of a question or an answer. */
  note(fields: Readonly<Record<string, unknown>>): void {
    Object.assign(this.#fields, fields);
  }

  noteError({ code, param }: ServiceError): void {
    this.note(param === null ? { errorCode: code } : { errorCode: code, param });
  }

  /** From here on the answer leaves as a stream: its status is sent, an error can only break it off. */
  streams(breakOff: (body: ErrorBody) => void): void {
    this.#breakOff = breakOff;
  }

  /**
   * Ends a stream in the middle; the request counts under the status of the error, whatever was sent.
   * @returns false where the answer is no stream: the error can be answered as any other
   */
  breakOff(error: ServiceError): boolean {
    if (this.#breakOff === undefined) return false;
    this.#brokenStatus = error.status;
    this.#breakOff(error.toBody());
    return true;
  }

  /** Status of a stream that broke. */
  get brokenStatus(): number | undefined {
    return this.#brokenStatus;
  }

  get fields(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }
}

export interface ObservationParts {
  readonly metrics: PodMetrics;
  readonly logger: Logger;
  readonly tracing: Tracing | undefined;
  readonly gate: Pick<AnswerGate, 'slots'>;
}

/** Gives every request an exchange, and its response the headers that all have. */
export function observeExchanges(fastify: FastifyInstance, { metrics, logger, tracing, gate }: ObservationParts): void {
  fastify.decorateRequest('exchange');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.exchange = new Exchange(beginTrace(request, tracing));
    sayWhose(request, reply, gate);
    reply.raw.once('close', () => recordEnd(request, reply, metrics, logger));
    done();
  });
}

/** On every response: its id, and how much the pod takes. */
export function sayWhose({ id }: FastifyRequest, reply: FastifyReply, { slots }: ObservationParts['gate']): void {
  reply.header('x-request-id', id);
  if (slots !== undefined) reply.header(SLOTS_HEADER, String(slots));
}

function beginTrace({ headers, method, routeOptions }: FastifyRequest, tracing: Tracing | undefined) {
  const { url } = routeOptions;
  if (tracing === undefined || QUIET_ROUTES.has(url ?? '')) return undefined;
  const now = performance.timeOrigin + performance.now();
  return tracing.begin(headers, url === undefined ? method : `${method} ${url}`, now);
}

function recordEnd(request: FastifyRequest, reply: FastifyReply, metrics: PodMetrics, logger: Logger): void {
  const route = request.routeOptions.url ?? 'unmatched';
  const sentStatus = reply.raw.writableFinished ? reply.raw.statusCode : CLIENT_CLOSED_STATUS;
  const status = String(request.exchange.brokenStatus ?? sentStatus);
  const durationMs = request.exchange.elapsedMs();
  metrics.requestEnded(route, status, durationMs);
  request.exchange.endTrace(request.method, route, Number(status), durationMs);
  const level = QUIET_ROUTES.has(route) ? 'debug' : 'info';
  const line = {
    requestId: request.id,
    method: request.method,
    route,
    status: Number(status),
    durationMs: roundedMs(durationMs),
  };
  logger[level]({ ...line, ...request.exchange.fields }, 'request');
}
