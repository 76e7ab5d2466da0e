/** Requests that HTTP has an answer for before any route does. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { ServiceError } from './error-catalogue.ts';

/** RFC 9112, 3.2: a request of HTTP/1.1 without Host, or any with several, is answered with 400. */
export function unclearHost({ rawHeaders, httpVersionMinor }: IncomingMessage): ServiceError | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts === 1 || (hosts === 0 && httpVersionMinor === 0)) return undefined;
  const detail = hosts === 0 ? 'the header Host is missing' : 'the header Host is there twice';
  return new ServiceError('malformed_http', { detail }, { param: 'Host' });
}

/** RFC 9110, 10.1.1: only 100-continue is defined; Node would answer anything else with an empty 417. */
export function refuseExpectations(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const detail = 'Expect: only 100-continue is understood';
    const error = new ServiceError('invalid_request', { detail }, { param: 'Expect' });
    const body = JSON.stringify(error.toBody());
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    };
    response.writeHead(error.status, headers).end(body);
  });
}
