/** The public HTTP server: what a client may cost, and what is answered before there is an exchange. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { refuseExpectations } from '@ragscale/service/clear-requests';
import { answerClientError } from '@ragscale/service/client-error';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { limitConnections, SERVER_OPTIONS } from '@ragscale/service/http-limits';
import { type BodyLimits, refuseTooLarge } from './request-body.ts';

export interface PublicServerParts {
  readonly maxConnections: number;
  readonly body: BodyLimits;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** What came was no request. */
  readonly onClientError: (error: ServiceError) => void;
}

export function createPublicServer({ maxConnections, body, onRequest, onClientError }: PublicServerParts): Server {
  const server = createServer({ ...SERVER_OPTIONS, noDelay: true }, onRequest);
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Socket) => {
    const error = answerClientError(cause, socket);
    if (error !== null) onClientError(error);
  });
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // A body that will be refused need not be sent.
    if (fits(request, body)) response.writeContinue();
    onRequest(request, response);
  });
  refuseExpectations(server);
  server.on('connect', (_request: IncomingMessage, socket: Socket) => refuseTunnel(socket));
  limitConnections(server, maxConnections);
  return server;
}

function fits(request: IncomingMessage, limits: BodyLimits): boolean {
  try {
    refuseTooLarge(request, limits);
    return true;
  } catch {
    return false;
  }
}

/** CONNECT asks for a tunnel to anywhere; Node would close the connection without a word. */
function refuseTunnel(socket: Socket): void {
  const error = new ServiceError('method_not_allowed', { allowed: 'GET, HEAD, POST' });
  const body = JSON.stringify(error.toBody());
  socket.on('error', () => undefined);
  socket.end(
    `HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
