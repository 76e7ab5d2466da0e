/** Bodies of requests: passed through where they are large, kept within a limit where they are not, and never a pod's fault. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerError, answerJson, FakePod } from './fake-pod.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';
import { type Message, statusOf, valuesOf } from './strict-http.ts';
import { WireClient } from './wire-client.ts';

let pod: FakePod;

beforeEach(async () => {
  pod = await FakePod.start();
});
afterEach(async () => {
  await pod[Symbol.asyncDispose]();
});

function codeOf({ body }: Message): string {
  return (JSON.parse(body.toString()) as { error: { code: string } }).error.code;
}

function head(length: number, path = '/rag', more = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`;
}

describe('a large body', () => {
  const ENV = { MAX_BODY_BYTES: '50000000', BUFFERED_BODY_BYTES: '65536' };

  it.each(['Content-Length', 'Transfer-Encoding'])('reaches the pod as it is: %s', async (framing) => {
    await using proxy = await startProxy([pod], ENV);
    const body = randomBytes(5_000_000);
    let seen = '';
    await using hashing = await hashingPod((hash) => {
      seen = hash;
    });
    await using direct = await startProxy([hashing], ENV);
    using client = new WireClient(direct.port);
    if (framing === 'Content-Length') client.send(head(body.length)).send(body);
    else {
      client.send('POST /rag HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let at = 0; at < body.length; at += 100_000) {
        client
          .send('186a0\r\n')
          .send(body.subarray(at, at + 100_000))
          .send('\r\n');
      }
      client.send('0\r\n\r\n');
    }
    expect(statusOf(await client.answer())).toBe(200);
    expect(seen).toBe(createHash('sha256').update(body).digest('hex'));
    expect((await proxy.post()).status).toBe(200);
  });

  it('waits at the client while the pod does not read', async () => {
    const asked = Promise.withResolvers<IncomingMessage>();
    await using slow = await FakePod.start();
    let seen = '';
    slow.reader = async (request) => {
      asked.resolve(request);
      await once(request, 'go');
      const hash = createHash('sha256');
      for await (const chunk of request) hash.update(chunk as Buffer);
      seen = hash.digest('hex');
      return '';
    };
    await using proxy = await startProxy([slow], ENV);
    using client = new WireClient(proxy.port);
    const body = randomBytes(50_000_000);
    client.send(head(body.length));
    let sent = 0;
    const sendMore = (): void => {
      while (sent < body.length) {
        const part = body.subarray(sent, sent + 65_536);
        sent += part.length;
        if (!client.socket.write(part)) {
          client.socket.once('drain', sendMore);
          return;
        }
      }
    };
    sendMore();
    const request = await asked.promise;
    // As long as others are answered nothing more is taken.
    await until(async () => {
      const before = sent;
      for (let round = 0; round < 5; round += 1) await (await fetch(`${proxy.url}/nowhere`)).text();
      return sent === before;
    });
    expect(sent).toBeLessThan(body.length / 2);
    request.emit('go');
    expect(statusOf(await client.answer())).toBe(200);
    expect(seen).toBe(createHash('sha256').update(body).digest('hex'));
  });
});

async function hashingPod(onHash: (hash: string) => void): Promise<FakePod> {
  const hashing = await FakePod.start();
  hashing.reader = async (request) => {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk as Buffer);
    onHash(hash.digest('hex'));
    return '';
  };
  return hashing;
}

describe('a pod that answers before it has the whole body', () => {
  const ENV = { BUFFERED_BODY_BYTES: '1000', MAX_BODY_BYTES: '10000000', EJECTION_FAILURES: '1' };

  it('is heard, and the connection to the client ends with its answer', async () => {
    pod.reader = async () => '';
    pod.behaviour = answerError(413, 'payload_too_large');
    await using proxy = await startProxy([pod], ENV);
    using client = new WireClient(proxy.port);
    client.send(head(5_000_000)).send(Buffer.alloc(2_000_000));
    const answer = await client.answer();
    expect([statusOf(answer), valuesOf(answer, 'connection')]).toEqual([413, ['close']]);
    await client.send(Buffer.alloc(3_000_000)).send('GET /rag HTTP/1.1\r\nHost: a\r\n\r\n').untilClosed();
    expect([client.final().length, pod.asked.length]).toEqual([1, 1]);
  });

  it('and goes on reading gets all of it', async () => {
    pod.reader = async () => '';
    let bytes = 0;
    pod.behaviour = async (_asked, response, request) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      for await (const chunk of request) bytes += (chunk as Buffer).length;
      response.end('data: 2\n\n');
    };
    await using proxy = await startProxy([pod], ENV);
    using client = new WireClient(proxy.port);
    client.send(head(5_000_000)).send(Buffer.alloc(2_000_000));
    await until(() => client.received.includes('data: 1'));
    const answer = await client.send(Buffer.alloc(3_000_000)).answer();
    expect([answer.body.toString(), bytes]).toEqual(['data: 1\n\ndata: 2\n\n', 5_000_000]);
  });

  it('and closes over the rest is not taken out: a client could do that to every pod', async () => {
    pod.reader = async () => '';
    pod.behaviour = (_asked, _response, request) => void request.socket.destroy();
    await using proxy = await startProxy([pod], ENV);
    for (let round = 0; round < 3; round += 1) {
      using client = new WireClient(proxy.port);
      expect(statusOf(await client.send(head(50_000)).send(Buffer.alloc(20_000)).answer())).toBe(502);
    }
    expect(Object.values(await proxy.states())).toEqual(['healthy']);
  });
});

describe('bodies together', () => {
  const ENV = { MAX_BUFFERED_BYTES: '10000', MAX_BODY_BYTES: '20000', BUFFERED_BODY_BYTES: '15000' };
  const NEARLY_ALL = 'x'.repeat(9_000);

  it('are kept up to a limit, and what is over it is a 429', async () => {
    await using proxy = await startProxy([pod], ENV);
    using first = new WireClient(proxy.port);
    first.send(head(9_500)).send(NEARLY_ALL);
    using second = new WireClient(proxy.port);
    await until(async () => {
      const answer = await proxy.post('x'.repeat(5_000));
      return answer.status === 429 && answer.headers.get('retry-after') === '1';
    });
    const answer = await second.send(head(5_000)).send('x'.repeat(5_000)).answer();
    expect([statusOf(answer), codeOf(answer)]).toEqual([429, 'queue_full']);
    first.send('x'.repeat(500));
    expect(statusOf(await first.answer())).toBe(200);
    expect((await proxy.post(NEARLY_ALL)).status).toBe(200);
  });

  /** Each leaves nothing behind: otherwise the third time there would be no room. */
  const OUTCOMES: readonly (readonly [string, (proxy: ProxyFixture, client: WireClient) => Promise<unknown>])[] = [
    ['an answer', (_, client) => client.send(head(9_000)).send(NEARLY_ALL).answer()],
    ['a refusal while it is read', (_, client) => client.send(head(15_000)).send('x'.repeat(15_000)).answer()],
    [
      'too large while it is read',
      (_, client) =>
        client
          .send('POST /rag HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
          .send(`2328\r\n${NEARLY_ALL}\r\n4e20\r\n${'x'.repeat(20_000)}\r\n`)
          .answer(),
    ],
    [
      'a deadline while it is read',
      (_, client) =>
        client
          .send(head(9_500, '/rag', 'X-Request-Timeout-Ms: 30\r\n'))
          .send(NEARLY_ALL)
          .answer(),
    ],
    [
      'a client that leaves while it is read',
      (proxy, client) => leave(proxy, client.send(head(9_500)).send(NEARLY_ALL)),
    ],
    [
      'a body that is not HTTP',
      (_, client) =>
        client
          .send('POST /rag HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2328\r\n')
          .send(`${NEARLY_ALL}zz`)
          .untilClosed(),
    ],
    [
      'a deadline while it is answered',
      (_, client) => {
        pod.behaviour = () => undefined;
        return client
          .send(head(9_000, '/rag', 'X-Request-Timeout-Ms: 30\r\n'))
          .send(NEARLY_ALL)
          .answer();
      },
    ],
    [
      'a client that leaves while it is answered',
      (proxy, client) => {
        pod.behaviour = () => undefined;
        return leave(proxy, client.send(head(9_000)).send(NEARLY_ALL));
      },
    ],
    [
      'a pod that breaks off',
      (_, client) => {
        pod.behaviour = (_asked, response) => void response.destroy();
        return client.send(head(9_000)).send(NEARLY_ALL).answer();
      },
    ],
  ];

  async function leave(proxy: ProxyFixture, client: WireClient): Promise<void> {
    await until(async () => (await proxy.post('x'.repeat(5_000), { 'x-request-timeout-ms': '50' })).status === 429);
    client.socket.destroy();
  }

  it.each(OUTCOMES)('are given back after %s', async (_, outcome) => {
    await using proxy = await startProxy([pod], { ...ENV, MAX_TRIES: '1', EJECTION_FAILURES: '1000' });
    for (let round = 0; round < 3; round += 1) {
      using client = new WireClient(proxy.port);
      await outcome(proxy, client);
      pod.behaviour = answerJson;
      // What the client has seen the proxy may still have to take note of.
      await until(async () => (await proxy.post(NEARLY_ALL)).status === 200);
    }
  });
});
