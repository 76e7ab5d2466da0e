/** Streams through the proxy: event by event, never more than the reader takes, and with a proper end whatever happens. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { answerJson, FakePod } from './fake-pod.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';
import { WireClient } from './wire-client.ts';

let pod: FakePod;
let proxy: ProxyFixture;

beforeEach(async () => {
  pod = await FakePod.start();
  proxy = await startProxy([pod]);
});
afterEach(async () => {
  // Whatever happened, nothing of it stays behind.
  await until(async () => (await proxy.metric('ragscale_proxy_in_flight{route="default"}')) === 0);
  pod.behaviour = answerJson;
  expect((await proxy.post()).status).toBe(200);
  await proxy[Symbol.asyncDispose]();
  await pod[Symbol.asyncDispose]();
});

const PATHS = ['/rag', '/v1/chat/completions'] as const;
const QUERY = { query: 'a', stream: true };

/** A stream that the test writes: resolves with the pod's response when the request has come. */
function opened(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    pod.behaviour = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      response.flushHeaders();
      resolve(response);
    };
  });
}

describe('events', () => {
  it('leave one by one, each before the pod has sent the next', async () => {
    using client = new RawClient(proxy.port);
    const stream = opened();
    client.post('/rag', QUERY);
    const response = await stream;
    for (let at = 0; at < 5; at += 1) {
      response.write(`event: token\ndata: {"text":"${at}"}\n\n`);
      await client.until(new RegExp(`"text":"${at}"`));
      expect(client.events).toHaveLength(at + 1);
    }
    response.end();
    await client.untilEnd();
  });

  it('leave whole, however the pod cuts them', async () => {
    using client = new RawClient(proxy.port);
    const stream = opened();
    client.post('/rag', QUERY);
    const response = await stream;
    const text = 'event: token\ndata: {"text":"\u{1f600}"}\n\nevent: done\ndata: {}\n\n';
    for (const byte of Buffer.from(text)) {
      response.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    response.end();
    await client.untilEnd();
    expect(client.events).toEqual([
      { name: 'token', data: '{"text":"\u{1f600}"}' },
      { name: 'done', data: '{}' },
    ]);
  });
});

describe('a pod that dies in the middle of a stream', () => {
  it.each(PATHS)('leaves whole events, an error and a proper end: %s', async (path) => {
    using client = new RawClient(proxy.port);
    const stream = opened();
    client.post(path, QUERY);
    const response = await stream;
    response.write('event: token\ndata: {"text":"one"}\n\nevent: token\ndata: {"te');
    await client.until(/one/);
    response.destroy();
    await client.untilEnd();
    const { events } = client;
    expect(events.map(({ name }) => name)).toEqual(['token', path === '/rag' ? 'error' : 'message']);
    expect(JSON.parse(events[1]!.data)).toMatchObject({ error: { code: 'upstream_failed', type: 'server_error' } });
    // The connection is in order.
    pod.behaviour = answerJson;
    client.forget();
    client.post('/rag', QUERY);
    await client.until(/^HTTP\/1.1 200 .*"result":"r"/s);
  });

  it('in an event that was too long to be held closes the connection', async () => {
    using client = new RawClient(proxy.port);
    const stream = opened();
    client.post('/rag', QUERY);
    const response = await stream;
    response.write(`data: ${'x'.repeat(200_000)}`);
    await client.until(/x{1000}/);
    response.destroy();
    await until(() => client.closed);
    expect(client.received).not.toContain('error');
  });

  it('before a whole event has come is replaced by another answer', async () => {
    let answers = 0;
    pod.behaviour = (asked, response) => {
      answers += 1;
      if (answers > 1) return answerJson(asked, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: tok', () => response.destroy());
    };
    const response = await proxy.post(QUERY);
    expect([response.status, await response.json(), answers]).toMatchObject([200, { result: 'r' }, 2]);
  });
});

describe('a deadline in the middle of a stream', () => {
  it.each(PATHS)('is its last event: %s', async (path) => {
    using client = new RawClient(proxy.port);
    pod.behaviour = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: token\ndata: {"text":"one"}\n\nevent: to');
    };
    client.post(path, QUERY, { 'x-request-timeout-ms': '500' });
    await client.untilEnd();
    const { events } = client;
    expect(events.map(({ name }) => name)).toEqual(['token', path === '/rag' ? 'error' : 'message']);
    expect(JSON.parse(events[1]!.data)).toMatchObject({ error: { code: 'deadline_exceeded' } });
    await until(() => pod.asked[0]!.withdrawn());
  });

  it('cuts a reader that has stalled', async () => {
    using client = new WireClient(proxy.port);
    pod.behaviour = flood(() => undefined, 100_000_000);
    client.socket.pause();
    client.send(post('/rag', { 'x-request-timeout-ms': '1000' }));
    await until(() => pod.asked[0]?.withdrawn() === true);
    client.socket.resume();
    await client.untilClosed();
    expect(client.received.subarray(-5).toString()).not.toBe('0\r\n\r\n');
  });
});

describe('a client that leaves in the middle of a stream', () => {
  it('is seen by the pod', async () => {
    using client = new RawClient(proxy.port);
    const stream = opened();
    client.post('/rag', QUERY);
    (await stream).write('event: token\ndata: {}\n\n');
    await client.until(/token/);
    client.socket.destroy();
    await until(() => pod.asked[0]!.withdrawn());
    const left = 'ragscale_proxy_requests_total{route="default",status="499"}';
    await until(async () => (await proxy.metric(left)) === 1);
  });
});

describe('a reader that stalls', () => {
  it('stalls its pod, and nobody else, and gets every byte when it reads on', async () => {
    const total = 100_000_000;
    const written = { bytes: 0, hash: createHash('sha256'), isFull: () => false };
    using client = new WireClient(proxy.port);
    pod.behaviour = (asked, response, request) => {
      if (!asked.body.includes('flood')) return answerJson(asked, response);
      written.isFull = () => response.writableNeedDrain;
      return flood((bytes) => {
        written.bytes += bytes.length;
        written.hash.update(bytes);
      }, total)(asked, response, request);
    };
    client.socket.pause();
    client.send(post('/rag', {}, '{"query":"flood"}'));
    await until(() => written.isFull());
    for (let round = 0; round < 20; round += 1) expect((await proxy.post()).status).toBe(200);
    expect(written.isFull()).toBe(true);
    expect(written.bytes).toBeLessThan(total / 3);
    const hash = createHash('sha256');
    let bytes = 0;
    const chunks = new Unchunked((part) => {
      hash.update(part);
      bytes += part.length;
    });
    client.socket.removeAllListeners('data');
    client.socket.on('data', (part: Buffer) => chunks.push(part));
    client.socket.resume();
    await until(() => chunks.ended);
    expect([bytes, hash.digest('hex')]).toEqual([written.bytes, written.hash.digest('hex')]);
    expect(bytes).toBeGreaterThanOrEqual(total);
  });
});

function post(path: string, headers: Record<string, string>, body = '{"query":"a"}'): string {
  const lines = Object.entries({ host: 'a', 'content-length': String(body.length), ...headers });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** Events without end, as fast as they are taken. */
function flood(onWritten: (bytes: Buffer) => void, total: number): FakePod['behaviour'] {
  const text = 'x'.repeat(16_000);
  return (_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let bytes = 0;
    let count = 0;
    const write = (): void => {
      while (!response.destroyed) {
        const event = Buffer.from(`event: token\ndata: {"text":"${count} ${text}"}\n\n`);
        count += 1;
        bytes += event.length;
        onWritten(event);
        if (bytes >= total) {
          response.end(event);
          return;
        }
        if (!response.write(event)) {
          response.once('drain', write);
          return;
        }
      }
    };
    write();
  };
}

/** Takes the chunks off an answer as it comes (RFC 9112, 7.1). */
class Unchunked {
  ended = false;
  readonly #onPart: (part: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);
  #left = 0;
  #state: 'head' | 'size' | 'data' | 'end' = 'head';

  constructor(onPart: (part: Buffer) => void) {
    this.#onPart = onPart;
  }

  push(part: Buffer): void {
    let bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    for (;;) {
      if (this.#state === 'data') {
        const taken = bytes.subarray(0, this.#left);
        if (taken.length > 0) this.#onPart(taken);
        this.#left -= taken.length;
        bytes = bytes.subarray(taken.length);
        if (this.#left > 0) break;
        this.#state = 'end';
      }
      const delimiter = this.#state === 'head' ? '\r\n\r\n' : '\r\n';
      const at = bytes.indexOf(delimiter);
      if (at < 0) break;
      if (this.#state === 'size') this.#left = Number.parseInt(bytes.toString('latin1', 0, at), 16);
      if (this.#state === 'size' && this.#left === 0) this.ended = true;
      this.#state = this.#state === 'size' ? 'data' : 'size';
      bytes = bytes.subarray(at + delimiter.length);
      if (this.ended) break;
    }
    this.#rest = bytes;
  }
}
