/** How does a server answer that has a handful of paths, for operators and probes? */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { refuseExpectations, unclearHost } from './clear-requests.ts';
import { answerClientError } from './client-error.ts';
import { type ErrorBody, ServiceError } from './error-catalogue.ts';
import { SERVER_OPTIONS } from './http-limits.ts';
import type { Lifecycle } from './lifecycle.ts';
import { requestIdFrom } from './request-id.ts';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface Path {
  readonly method: 'GET' | 'POST';
  /** @throws ServiceError, which is answered; anything else is logged, and answered without a word of it */
  readonly answer: (request: IncomingMessage) => Answer | Promise<Answer>;
}

/** What it takes to show metrics. */
export interface Exposition {
  readonly contentType: string;
  render(): Promise<string>;
}

/** The caller listens, and closes. @param paths by path, without a query */
export function createPathServer(paths: ReadonlyMap<string, Path>, logger: Logger): Server {
  const server = createServer(SERVER_OPTIONS, (request, response) => void serve(request, response, paths, logger));
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Socket) => void answerClientError(cause, socket));
  refuseExpectations(server);
  return server;
}

export function readinessPath(lifecycle: Pick<Lifecycle, 'state'>): Path {
  return { method: 'GET', answer: () => readiness(lifecycle) };
}

export function metricsPath(metrics: Exposition): Path {
  const answer = async () => ({ status: 200, type: metrics.contentType, body: await metrics.render() });
  return { method: 'GET', answer };
}

export function json(body: unknown, status = 200): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

/** The catalogue's error with words that fit a server that has no /docs. */
export function notFound(message: string): Answer {
  const error = new ServiceError('not_found', {});
  const body: ErrorBody = { error: { ...error.toBody().error, message } };
  return json(body, error.status);
}

function readiness({ state }: Pick<Lifecycle, 'state'>): Answer {
  if (state === 'ready') return json({ status: 'ok' });
  throw state === 'starting' ? new ServiceError('not_ready', {}) : new ServiceError('draining', {});
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  paths: ReadonlyMap<string, Path>,
  logger: Logger,
): Promise<void> {
  response.setHeader('x-request-id', requestIdFrom(request.headers['x-request-id']));
  try {
    send(response, await answerOf(request, paths));
  } catch (error) {
    if (error instanceof ServiceError) return fail(response, error);
    // Whoever asked went away in the middle of the body.
    if (request.errored !== null) return;
    logger.error({ requestId: response.getHeader('x-request-id'), err: error }, 'a request failed');
    fail(response, new ServiceError('internal', {}, { cause: error }));
  }
}

function answerOf(request: IncomingMessage, paths: ReadonlyMap<string, Path>): Answer | Promise<Answer> {
  const { method = '', url = '' } = request;
  const unclear = unclearHost(request);
  if (unclear !== undefined) throw unclear;
  const path = paths.get(url.replace(/\?.*/s, ''));
  if (path === undefined) return notFound(`no such path; there are ${[...paths.keys()].join(', ')}`);
  const allowed = path.method === 'GET' ? 'GET, HEAD' : path.method;
  if (!allowed.split(', ').includes(method))
    throw new ServiceError('method_not_allowed', { allowed }, { headers: { allow: allowed } });
  return path.answer(request);
}

function fail(response: ServerResponse, error: ServiceError): void {
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  send(response, json(error.toBody(), error.status));
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  if (response.destroyed) return;
  // What was not read of the request would be taken for the next one.
  if (!response.req.complete) response.setHeader('connection', 'close');
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(body);
}
