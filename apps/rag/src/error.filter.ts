/** Turns whatever was thrown into the one error shape. */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, NotFoundException } from '@nestjs/common';
import { CancelledError, DeadlineError, EngineClosedError } from '@ragscale/inference/errors';
import { DEADLINE_HEADER, deadlineMs } from '@ragscale/service/deadline';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type Configuration, deadlineLimits } from './configuration.ts';
import type { RouteTable } from './route-table.ts';
import { ClientGoneError } from './withdrawals.ts';

export interface ErrorFilterParts {
  readonly lifecycle: Lifecycle;
  readonly metrics: PodMetrics;
  readonly logger: Logger;
  readonly routes: RouteTable;
  readonly configuration: Configuration;
}

@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #parts: ErrorFilterParts;

  constructor(parts: ErrorFilterParts) {
    this.#parts = parts;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (reply.raw.destroyed || thrown instanceof ClientGoneError) {
      // Nobody listens: Fastify must not try to answer.
      if (!reply.sent) reply.hijack();
      return;
    }
    const error = this.#classify(thrown, request);
    if (error.code === 'internal') this.#parts.logger.error({ requestId: request.id, err: thrown }, 'a request failed');
    else this.#parts.metrics.rejected(error.code);
    request.exchange.noteError(error);
    if (request.exchange.breakOff(error)) return;
    reply
      .code(error.status)
      .headers(error.headers)
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(error.toBody()));
  }

  #classify(thrown: unknown, request: FastifyRequest): ServiceError {
    if (thrown instanceof ServiceError) return thrown;
    if (thrown instanceof DeadlineError) {
      const deadline = deadlineMs(request.headers[DEADLINE_HEADER], deadlineLimits(this.#parts.configuration));
      return new ServiceError('deadline_exceeded', { deadlineMs: deadline }, { cause: thrown });
    }
    if (thrown instanceof NotFoundException) return this.#parts.routes.missing(request);
    const bodyLimit = request.routeOptions.bodyLimit;
    if (thrown instanceof HttpException && thrown.cause !== undefined) return fromFramework(thrown.cause, bodyLimit);
    const ending = this.#parts.lifecycle.state === 'leaving' || this.#parts.lifecycle.state === 'draining';
    if (ending && (thrown instanceof EngineClosedError || thrown instanceof CancelledError))
      return new ServiceError('draining', {});
    return fromFramework(thrown, bodyLimit);
  }
}

/** Fastify's own refusals, before a handler ran; anything else is a fault of ours. @param limitBytes of the route's bodies */
export function fromFramework(cause: unknown, limitBytes: number): ServiceError {
  switch (codeOf(cause)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ServiceError('payload_too_large', { limitBytes }, { cause });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ServiceError(
        'unsupported_media_type',
        { detail: 'the body must be sent with Content-Type: application/json' },
        { param: 'Content-Type', cause },
      );
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new ServiceError(
        'malformed_http',
        { detail: 'the body is not as long as Content-Length says' },
        { param: 'Content-Length', cause },
      );
    case 'FST_ERR_BAD_URL':
      return new ServiceError('malformed_http', { detail: 'the URL is not well encoded' }, { cause });
    default:
      return isRefusal(cause)
        ? new ServiceError('invalid_request', { detail: cause.message }, { cause })
        : new ServiceError('internal', {}, { cause });
  }
}

/** An error of the framework that blames the client. */
function isRefusal(cause: unknown): cause is Error {
  if (!(cause instanceof Error)) return false;
  const status =
    cause instanceof HttpException ? cause.getStatus() : 'statusCode' in cause ? cause.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500;
}

function codeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
