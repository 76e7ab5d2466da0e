/** What a client gets that does not speak HTTP: an error in the one shape, and the connection closed. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ServiceError } from './error-catalogue.ts';

/**
 * For the server's `clientError` event.
 * @returns the error that was written, or null where the client was gone already
 */
export function answerClientError(cause: NodeJS.ErrnoException, socket: Socket): ServiceError | null {
  if (cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return null;
  }
  const error = clientErrorOf(cause);
  endWithError(socket, error);
  return error;
}

/** Where there is no response to write to. */
export function endWithError(socket: Socket, error: ServiceError): void {
  const body = JSON.stringify(error.toBody());
  const more = Object.entries(error.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${more.join('')}Connection: close\r\n\r\n${body}`,
  );
}

/** @param cause of the server's `clientError` event */
export function clientErrorOf(cause: NodeJS.ErrnoException): ServiceError {
  switch (cause.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ServiceError('headers_too_large', {}, { cause });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ServiceError('request_timeout', {}, { cause });
    default:
      // The parser's code is one of a fixed set; its message could repeat what was sent.
      return new ServiceError('malformed_http', { detail: cause.code ?? 'unknown' }, { cause });
  }
}
