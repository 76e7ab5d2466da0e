/** The Fastify server of a pod before any route: limits, ids, and errors that come before a handler. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { refuseExpectations, unclearHost } from '@ragscale/service/clear-requests';
import { answerClientError } from '@ragscale/service/client-error';
import { limitConnections, MAX_BODY_BYTES, SERVER_OPTIONS } from '@ragscale/service/http-limits';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import { requestIdFrom } from '@ragscale/service/request-id';
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { fromFramework } from './error.filter.ts';
import { type ObservationParts, observeExchanges, sayWhose } from './exchange.ts';
import { acceptJsonOnly } from './json-body.ts';
import { RouteTable } from './route-table.ts';

export interface HttpParts extends ObservationParts {
  readonly lifecycle: Lifecycle;
  readonly maxConnections: number;
}

export function createHttpAdapter({ lifecycle, maxConnections, ...observation }: HttpParts): {
  adapter: FastifyAdapter;
  routes: RouteTable;
} {
  const { logger, metrics } = observation;
  const adapter = new FastifyAdapter({
    // Fastify's own lines say what ours do; its warnings do not.
    loggerInstance: logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level }),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (raw: IncomingMessage) => requestIdFrom(raw.headers['x-request-id']),
    bodyLimit: MAX_BODY_BYTES,
    http: SERVER_OPTIONS,
    keepAliveTimeout: SERVER_OPTIONS.keepAliveTimeout,
    requestTimeout: SERVER_OPTIONS.requestTimeout,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (cause: NodeJS.ErrnoException, socket: Socket) => {
      const error = answerClientError(cause, socket);
      if (error === null) return;
      metrics.rejected(error.code);
      logger.info({ error: error.code, status: error.status }, 'not a request');
    },
    frameworkErrors: (cause: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const error = fromFramework(cause, MAX_BODY_BYTES);
      metrics.rejected(error.code);
      sayWhose(request, reply, observation.gate);
      reply.code(error.status).type('application/json; charset=utf-8').send(JSON.stringify(error.toBody()));
    },
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  const routes = new RouteTable();
  routes.observe(fastify);
  observeExchanges(fastify, observation);
  refuseUnclearHosts(fastify);
  closeConnectionsWhenLeaving(fastify, lifecycle);
  acceptJsonOnly(fastify);
  limitConnections(fastify.server, maxConnections);
  refuseExpectations(fastify.server);
  return { adapter, routes };
}

function refuseUnclearHosts(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw }, _reply, done) => done(unclearHost(raw)));
}

/** Clients that keep a connection open must come back through the load balancer. */
function closeConnectionsWhenLeaving(fastify: FastifyInstance, lifecycle: Lifecycle): void {
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (lifecycle.state === 'leaving' || lifecycle.state === 'draining') reply.header('connection', 'close');
    done();
  });
}
