/** The server before there is an exchange: slow clients, bytes that are no request, and connections that nobody closes. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { ServiceError } from '@ragscale/service/error-catalogue';
import { SERVER_OPTIONS } from '@ragscale/service/http-limits';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPublicServer, type Served } from '../src/server.ts';
import { until } from './proxy-fixture.ts';
import { statusOf, valuesOf } from './strict-http.ts';
import { WireClient } from './wire-client.ts';

/** As the real ones in their order, many times as fast. */
const TIMES = {
  headersTimeout: 100,
  requestTimeout: 300,
  keepAliveTimeout: 150,
  keepAliveTimeoutBuffer: 1,
  connectionsCheckingInterval: 10,
};

let server: Server;
let port: number;
let served: string[];
let errors: string[];
let spoilt: string[];
/** Whether the answer to what was served last is still due, and is the last. */
let isDue: boolean;
let isLast: boolean;

beforeEach(async () => {
  [served, errors, spoilt, isDue, isLast] = [[], [], [], false, false];
  server = createPublicServer({
    maxConnections: 100,
    options: { ...SERVER_OPTIONS, ...TIMES },
    onRequest: serve,
    onClientError: ({ code }) => errors.push(code),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function serve(request: IncomingMessage, response: ServerResponse): Served {
  served.push(request.url ?? '');
  request.on('end', () => response.end('ok')).resume();
  return {
    get isLast() {
      return isLast;
    },
    spoilt: (error: ServiceError) => {
      spoilt.push(error.code);
      if (isDue) response.writeHead(error.status, { connection: 'close', 'content-length': 0 }).end();
      return isDue;
    },
  };
}

const HEAD = 'GET /a HTTP/1.1\r\nHost: a\r\n';

describe('a client that is slow', () => {
  it.each([
    ['sends half of its head', HEAD],
    ['sends the beginning of its request line', 'GE'],
  ])('and %s gets a 408', async (_, bytes) => {
    using client = new WireClient(port);
    await client.send(bytes).untilClosed();
    const [answer] = client.final();
    expect([statusOf(answer!), valuesOf(answer!, 'connection'), answer!.body.toString()]).toEqual([
      408,
      ['close'],
      expect.stringContaining('"code":"request_timeout"'),
    ]);
    expect([served, errors]).toEqual([[], ['request_timeout']]);
  });

  it('and sends its head letter by letter gets a 408', async () => {
    using client = new WireClient(port);
    client.send(HEAD);
    while (!client.closed) {
      if (client.socket.writable) client.send('X: a\r\n');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect([served, client.final().map(statusOf)]).toEqual([[], [408]]);
  });

  it('to close its side loses the connection', async () => {
    const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    const sent = ['', HEAD, 'garbage\r\n\r\n', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\nmore'];
    const sockets = sent.map((bytes) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined).resume();
      socket.write(bytes);
      return socket;
    });
    await until(async () => (await open()) === sent.length);
    await until(async () => (await open()) === 0);
    expect(served).toEqual([]);
    for (const socket of sockets) socket.destroy();
  });

  it('to close the tunnel that it did not get is not waited for', async () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined).pause();
    socket.write('CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(server, 'connect');
    socket.destroy();
    await until(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count === 0))));
  });

  it('with its next request loses the connection without a word', async () => {
    using client = new WireClient(port);
    await client.send(`${HEAD}\r\n`).untilClosed();
    expect([client.final().map(statusOf), errors]).toEqual([[200], []]);
  });

  it('with its body is the business of who has the request', async () => {
    isDue = true;
    using client = new WireClient(port);
    await client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12').untilClosed();
    expect([served, spoilt, errors]).toEqual([['/a'], ['request_timeout'], ['request_timeout']]);
    expect(client.final().map(statusOf)).toEqual([408]);
  });
});

describe('bytes that are no request', () => {
  it('are answered once, whatever more of them comes', async () => {
    using client = new WireClient(port);
    client.send('garbage\r\n\r\n');
    while (!client.closed) {
      if (client.socket.writable) client.send('more\r\n\r\n');
      await new Promise(setImmediate);
    }
    expect([served, errors, client.final().map(statusOf)]).toEqual([[], ['malformed_http'], [400]]);
  });

  it('after a request that is done are answered by themselves', async () => {
    using client = new WireClient(port);
    await client.send(`${HEAD}\r\n`).answer();
    await client.send('garbage\r\n\r\n').untilClosed();
    expect([errors, client.final().map(statusOf)]).toEqual([['malformed_http'], [200, 400]]);
  });
});

describe('a request', () => {
  it('after the last that is answered is not served', async () => {
    isLast = true;
    using client = new WireClient(port);
    await client.send(`${HEAD}\r\n${HEAD.replace('/a', '/b')}\r\n`).answer();
    expect(served).toEqual(['/a']);
  });
});
