import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerClientError } from './client-error.ts';
import { SERVER_OPTIONS } from './http-limits.ts';

const server = createServer(
  { ...SERVER_OPTIONS, headersTimeout: 200, requestTimeout: 200, connectionsCheckingInterval: 50 },
  (_, response) => response.end('ok'),
);
server.on('clientError', answerClientError);

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());

async function exchange(bytes: string): Promise<{ head: string; code: string }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(bytes);
  const answer = await text(socket);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  return { head, code: JSON.parse(body).error.code };
}

describe('a client that does not speak HTTP', () => {
  it.each([
    ['garbage', 'not http at all\r\n\r\n', 400, 'malformed_http'],
    ['binary', '\x16\x03\x01\x02\x00\x01', 400, 'malformed_http'],
    [
      'a header that never ends',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      'malformed_http',
    ],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
      'malformed_http',
    ],
    ['half a header', 'GET / HTTP/1.1\r\nHost:', 408, 'request_timeout'],
  ])('gets an error in the one shape for %s, and is disconnected', async (_, bytes, status, code) => {
    const answer = await exchange(bytes);
    expect(answer.head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.head).toContain('Connection: close');
    expect(answer.code).toBe(code);
  });
});
