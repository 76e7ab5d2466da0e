/** One request and its answer: id, clock, log line and count, written where the connection says that it ended. */
import type { ErrorBody, ServiceError } from '@ragscale/service/error-catalogue';
import { CLIENT_CLOSED_STATUS } from '@ragscale/service/metric-catalogue';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { roundedMs } from './rounded-times.ts';

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
}

/** Routes that are asked every few seconds: their lines are for debugging only. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

export class Exchange {
  readonly #arrivedAt = performance.now();
  readonly #fields: Record<string, unknown> = {};
  #breakOff: ((body: ErrorBody) => void) | undefined;
  #brokenStatus: number | undefined;

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

/** Gives every request an exchange and echoes its id. */
export function observeExchanges(fastify: FastifyInstance, metrics: PodMetrics, logger: Logger): void {
  fastify.decorateRequest('exchange');
  fastify.addHook('onRequest', (request, reply, done) => {
    request.exchange = new Exchange();
    reply.header('x-request-id', request.id);
    reply.raw.once('close', () => recordEnd(request, reply, metrics, logger));
    done();
  });
}

function recordEnd(request: FastifyRequest, reply: FastifyReply, metrics: PodMetrics, logger: Logger): void {
  const route = request.routeOptions.url ?? 'unmatched';
  const sentStatus = reply.raw.writableFinished ? reply.raw.statusCode : CLIENT_CLOSED_STATUS;
  const status = String(request.exchange.brokenStatus ?? sentStatus);
  const durationMs = request.exchange.elapsedMs();
  metrics.requestEnded(route, status, durationMs);
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
