/** The public HTTP server: what a client may cost, and what is answered before there is an exchange. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { refuseExpectations } from '@ragscale/service/clear-requests';
import { answerClientError, clientErrorOf, endWithError } from '@ragscale/service/client-error';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { limitConnections, SERVER_OPTIONS } from '@ragscale/service/http-limits';
import { lingerOn } from './linger.ts';

/** A request, once it was given away. */
export interface Served {
  /** Whether its answer ends the connection: what follows it there gets none. */
  readonly isLast: boolean;
  /**
   * What came next on its connection, of its body or after it, is not HTTP or does not come.
   * @returns false where it has its answer already; otherwise the connection ends with that
   */
  spoilt(error: ServiceError): boolean;
}

export interface PublicServerParts {
  readonly maxConnections: number;
  /** Those of `SERVER_OPTIONS`, or others in tests. */
  readonly options?: ServerOptions;
  /** A request that expects `100-continue` is still to get it. */
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => Served;
  /** What came was no request. */
  readonly onClientError: (error: ServiceError) => void;
}

/** Where a connection has its latest request: a WeakMap with an entry by request was a third of all garbage collection. */
const LATEST = Symbol('latest');
type Connection = Socket & { [LATEST]?: Served | undefined };

export function createPublicServer(parts: PublicServerParts): Server {
  const { maxConnections, options = SERVER_OPTIONS, onRequest, onClientError } = parts;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const socket: Connection = request.socket;
    if (socket[LATEST]?.isLast === true) return;
    const served = onRequest(request, response);
    socket[LATEST] = served;
    // A connection that is held idle keeps nothing of what was asked on it.
    response.on('close', () => {
      if (!served.isLast && socket[LATEST] === served) socket[LATEST] = undefined;
    });
  };
  const server = createServer({ ...options, noDelay: true }, serve);
  // Their size is limited; over a limit of their number Node would drop the rest without a word.
  server.maxHeadersCount = 0;
  /** Connections that have had an error as their last answer, and how much may have been read of them. */
  const ended = new WeakMap<Socket, number>();
  server.on('clientError', (cause: NodeJS.ErrnoException, socket: Connection) => {
    const maxRead = ended.get(socket);
    if (maxRead !== undefined) {
      // More of the same, which is thrown away.
      if (cause.code === 'ECONNRESET' || socket.bytesRead > maxRead) socket.destroy();
      return;
    }
    // An answer that is due must not be overtaken by an error, nor be mixed with it.
    const error = clientErrorOf(cause);
    const isDue = socket.writable && cause.code !== 'ECONNRESET' && socket[LATEST]?.spoilt(error) === true;
    if (!isDue) {
      if (answerClientError(cause, socket) === null) return;
      ended.set(socket, lingerOn(socket));
    }
    onClientError(error);
  });
  server.on('checkContinue', serve);
  refuseExpectations(server);
  server.on('connect', (_request: IncomingMessage, socket: Socket) => refuseTunnel(socket));
  limitConnections(server, maxConnections);
  return server;
}

/** CONNECT asks for a tunnel to anywhere; Node would close the connection without a word. */
function refuseTunnel(socket: Socket): void {
  socket.on('error', () => undefined);
  // Nobody reads it any more, and its end must be seen.
  socket.resume();
  lingerOn(socket);
  const allowed = 'GET, HEAD, POST';
  endWithError(socket, new ServiceError('method_not_allowed', { allowed }, { headers: { Allow: allowed } }));
}
