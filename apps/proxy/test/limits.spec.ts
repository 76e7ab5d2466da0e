/** What one client may cost: sizes, counts, and an answer that it gets to read when it asks for too much. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { startProxy, until } from './proxy-fixture.ts';
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

describe('headers', () => {
  it.each([
    ['one of 20 kB', `X: ${'a'.repeat(20_000)}\r\n`],
    ['thousands of short ones', Array.from({ length: 5_000 }, (_, at) => `a${at}: b\r\n`).join('')],
    ['a target of 20 kB', ''],
  ])('over 16 KiB are a 431: %s', async (_, lines) => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    const target = lines === '' ? `/rag?${'a'.repeat(20_000)}` : '/rag';
    client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
    const answer = await client.answer();
    expect([statusOf(answer), codeOf(answer), valuesOf(answer, 'connection')]).toEqual([
      431,
      'headers_too_large',
      ['close'],
    ]);
    await client.untilClosed();
    expect(pod.asked).toEqual([]);
  });

  it('that never end are cut off', async () => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    client.send('GET /rag HTTP/1.1\r\nHost: a\r\n');
    while (!client.closed) {
      if (client.socket.writable) client.send(`X: ${'a'.repeat(1_000)}\r\n`);
      await new Promise(setImmediate);
    }
    expect(client.socket.bytesWritten).toBeLessThan(4_000_000);
    expect(pod.asked).toEqual([]);
  });
});

describe('a body over the limit', () => {
  it('that says so is refused before it is sent', async () => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    const answer = await client.send(head(1_000_000_000)).answer();
    expect([statusOf(answer), codeOf(answer), valuesOf(answer, 'connection')]).toEqual([
      413,
      'payload_too_large',
      ['close'],
    ]);
  });

  it('that does not say so is refused when it is, and not read to its end', async () => {
    await using proxy = await startProxy([pod], { MAX_BODY_BYTES: '100000' });
    using client = new WireClient(proxy.port);
    client.send('POST /rag HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    while (!client.closed && client.socket.bytesWritten < 1_000_000_000) {
      if (client.socket.writable && !client.socket.writableNeedDrain) client.send(chunk);
      await new Promise(setImmediate);
    }
    expect(client.socket.bytesWritten).toBeLessThan(40_000_000);
    expect(client.final().map(statusOf)).toEqual([413]);
    expect(pod.asked).toEqual([]);
  });

  it('that is passed through is a 413 as well, and not the fault of the pod', async () => {
    await using proxy = await startProxy([pod], {
      MAX_BODY_BYTES: '100000',
      BUFFERED_BODY_BYTES: '1000',
      EJECTION_FAILURES: '1',
    });
    for (let round = 0; round < 3; round += 1) {
      using client = new WireClient(proxy.port);
      client.send('POST /rag HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      const answer = await client.send(`30000\r\n${'x'.repeat(0x30000)}\r\n0\r\n\r\n`).answer();
      expect([statusOf(answer), codeOf(answer)]).toEqual([413, 'payload_too_large']);
    }
    expect(Object.values(await proxy.states())).toEqual(['healthy']);
    expect(await proxy.metric('ragscale_proxy_ejections_total{route="default"}')).toBeOneOf([0, undefined]);
    expect((await proxy.post()).status).toBe(200);
    expect(pod.asked).toHaveLength(1);
  });

  it('of which the client leaves in the middle is not the fault of the pod', async () => {
    await using proxy = await startProxy([pod], { BUFFERED_BODY_BYTES: '1000', EJECTION_FAILURES: '1' });
    for (let round = 0; round < 3; round += 1) {
      using client = new WireClient(proxy.port);
      client.send(head(50_000)).send('x'.repeat(20_000));
      await until(async () => (await proxy.metric('ragscale_proxy_in_flight{route="default"}')) === 1);
      client.socket.destroy();
      await until(async () => (await proxy.metric('ragscale_proxy_in_flight{route="default"}')) === 0);
    }
    expect(Object.values(await proxy.states())).toEqual(['healthy']);
    expect((await proxy.post()).status).toBe(200);
  });
});

describe('connections', () => {
  it('over the limit are closed, and those below it are served', async () => {
    await using proxy = await startProxy([pod], { MAX_CONNECTIONS: '2' });
    using one = new WireClient(proxy.port);
    using two = new WireClient(proxy.port);
    const get = 'GET /rag HTTP/1.1\r\nHost: a\r\n\r\n';
    await Promise.all([one.send(get).answer(), two.send(get).answer()]);
    using three = new WireClient(proxy.port);
    await three.send(get).untilClosed();
    expect(three.received).toHaveLength(0);
    expect((await one.send(get).answers(2)).map(statusOf)).toEqual([200, 200]);
  });
});

describe('an early refusal', () => {
  it.each([
    ['413', head(3_000_000)],
    ['404', head(3_000_000, '/nowhere')],
    ['405', head(3_000_000).replace('POST', 'PUT')],
    ['400', head(3_000_000, '/rag', 'X-Request-Timeout-Ms: x\r\n')],
  ])('is read by a client that first sends all of its body: %s', async (status, bytes) => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    client.socket.pause();
    client.send(bytes).send(Buffer.alloc(2_900_000));
    await until(() => client.socket.writableLength === 0);
    client.send(Buffer.alloc(100_000));
    await until(() => client.socket.writableLength === 0);
    client.socket.resume();
    await client.untilClosed();
    expect([client.wasReset, client.final().map((answer) => String(statusOf(answer)))]).toEqual([false, [status]]);
    expect(valuesOf(client.final()[0]!, 'connection')).toEqual(['close']);
  });

  it('of a request with a small body, or none, leaves the connection as it is', async () => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    client.send('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send(head(5, '/nowhere')).send('12345');
    client.send(head(5, '/rag', 'X-Request-Timeout-Ms: x\r\n')).send('12345');
    client.send(head(5)).send('12345');
    const answers = await client.answers(4);
    expect(answers.map(statusOf)).toEqual([404, 404, 400, 200]);
    expect(answers.flatMap((answer) => valuesOf(answer, 'connection'))).not.toContain('close');
    expect(pod.asked.map(({ body }) => body)).toEqual(['12345']);
  });
});
