/** Is there one way to understand a request? What another reader could frame or address differently is not passed on. */
import type { IncomingMessage } from 'node:http';
import { unclearHost } from '@ragscale/service/clear-requests';
import { ServiceError } from '@ragscale/service/error-catalogue';

/** RFC 9110, 7.2: `uri-host [":" port]`; without the comma, which would make a list of it. */
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(:[0-9]*)?$/;

/** @returns malformed_http, after which the connection is to be closed */
export function unclearHead(request: IncomingMessage): ServiceError | undefined {
  const { headers, httpVersionMajor, httpVersionMinor, httpVersion } = request;
  if (httpVersionMajor !== 1) return malformed(`HTTP/${httpVersion} is not spoken here`);
  const unclear = unclearHost(request);
  if (unclear !== undefined) return unclear;
  if (headers.host !== undefined && !HOST.test(headers.host)) return malformed('the header Host names no host', 'Host');
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  // RFC 9112, 6.1: framing that HTTP/1.0 does not know, and codings that would have to be undone.
  if (httpVersionMinor === 0) return malformed('HTTP/1.0 has no Transfer-Encoding', 'Transfer-Encoding');
  if (coding.toLowerCase() === 'chunked') return undefined;
  return malformed('Transfer-Encoding: only chunked is understood', 'Transfer-Encoding');
}

function malformed(detail: string, param?: string): ServiceError {
  return new ServiceError('malformed_http', { detail }, param === undefined ? {} : { param });
}
