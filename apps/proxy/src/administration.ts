/** What do operators and probes ask the proxy? A server of its own, on a port that no client reaches. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { refuseExpectations, unclearHost } from '@ragscale/service/clear-requests';
import { answerClientError } from '@ragscale/service/client-error';
import { type ErrorBody, ServiceError } from '@ragscale/service/error-catalogue';
import { SERVER_OPTIONS } from '@ragscale/service/http-limits';
import type { Lifecycle } from '@ragscale/service/lifecycle';
import type { EndpointState } from '@ragscale/service/metric-catalogue';
import type { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { requestIdFrom } from '@ragscale/service/request-id';
import type { Logger } from 'pino';
import { RegistrationError } from './discovery/registration-discovery.ts';
import { readPodUrl } from './registration-body.ts';

/** A pod as the proxy sees it. */
export interface EndpointReport {
  readonly id: string;
  readonly state: EndpointState;
  readonly inFlight: number;
  /** Requests that it gets at once at most; null where there is no bound. */
  readonly cap: number | null;
  readonly weight: number;
  /** How long its answers take; null until it has answered. */
  readonly latencyMs: number | null;
}

/** Pods that announce themselves. */
export interface Registration {
  /** @param url `http://host:port` @returns whether it was not there yet @throws RegistrationError */
  register(url: string): boolean;
  /** @returns whether it was there @throws RegistrationError */
  unregister(url: string): boolean;
  /** The origin that a request would go to now; undefined where no pod is able. */
  assign(): string | undefined;
}

export interface AdministrationParts {
  readonly lifecycle: Pick<Lifecycle, 'state'>;
  readonly metrics: Pick<ProxyMetrics, 'contentType' | 'render'>;
  readonly logger: Logger;
  /** Of every route, by its name. */
  readonly endpoints: () => Readonly<Record<string, readonly EndpointReport[]>>;
  /** Absent where the flag REGISTRATION is off. */
  readonly registration?: Registration | undefined;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Path {
  readonly method: 'GET' | 'POST';
  readonly answer: (request: IncomingMessage) => Answer | Promise<Answer>;
}

/** The caller listens, and closes. */
export function createAdministration(parts: AdministrationParts): Server {
  const paths = pathsOf(parts);
  const server = createServer(SERVER_OPTIONS, (request, response) => void serve(request, response, paths, parts));
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Socket) => void answerClientError(cause, socket));
  refuseExpectations(server);
  return server;
}

function pathsOf({ lifecycle, metrics, endpoints, registration }: AdministrationParts): ReadonlyMap<string, Path> {
  return new Map<string, Path>([
    ['/livez', { method: 'GET', answer: () => json({ status: 'ok' }) }],
    ['/readyz', { method: 'GET', answer: () => readiness(lifecycle) }],
    [
      '/metrics',
      { method: 'GET', answer: async () => ({ status: 200, type: metrics.contentType, body: await metrics.render() }) },
    ],
    ['/endpoints', { method: 'GET', answer: () => json({ routes: endpoints() }) }],
    ...registrationPaths(registration),
  ]);
}

/** The seed's way for pods to come and go; off unless asked for, because whoever reaches it decides where questions go. */
function registrationPaths(registration: Registration | undefined): [string, Path][] {
  const behindFlag = (answer: (on: Registration, request: IncomingMessage) => Answer | Promise<Answer>) => {
    return (request: IncomingMessage) =>
      registration === undefined ? REGISTRATION_OFF : answer(registration, request);
  };
  const register = behindFlag((on, request) => change(request, (url) => on.register(url)));
  const unregister = behindFlag((on, request) => change(request, (url) => on.unregister(url)));
  const assign = behindFlag((on) => {
    const url = on.assign();
    if (url === undefined) throw new ServiceError('no_backend', {});
    return json({ url });
  });
  return [
    ['/register', { method: 'POST', answer: register }],
    ['/unregister', { method: 'POST', answer: unregister }],
    ['/assign', { method: 'GET', answer: assign }],
  ];
}

/** @param apply returns whether it changed anything */
async function change(request: IncomingMessage, apply: (url: string) => boolean): Promise<Answer> {
  const { url, param } = await readPodUrl(request);
  try {
    return json({ url, changed: apply(url) });
  } catch (cause) {
    if (!(cause instanceof RegistrationError)) throw cause;
    throw new ServiceError('invalid_request', { detail: `${param}: ${cause.message}` }, { param, cause });
  }
}

function readiness({ state }: Pick<Lifecycle, 'state'>): Answer {
  if (state === 'ready') return json({ status: 'ok' });
  throw state === 'starting' ? new ServiceError('not_ready', {}) : new ServiceError('draining', {});
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  paths: ReadonlyMap<string, Path>,
  { logger }: AdministrationParts,
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

/** The catalogue's error with words that fit this server, which has no /docs. */
function notFound(message: string): Answer {
  const error = new ServiceError('not_found', {});
  const body: ErrorBody = { error: { ...error.toBody().error, message } };
  return json(body, error.status);
}

const REGISTRATION_OFF = notFound('pods cannot register here; REGISTRATION=on allows it');

function json(body: unknown, status = 200): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
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
