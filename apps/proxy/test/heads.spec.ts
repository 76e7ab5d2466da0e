/** Heads on the wire: what a pod and a client really get to see of each other. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newApiKey } from '@ragscale/service/api-keys';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProxyFixture, startProxy } from './proxy-fixture.ts';
import { answerBytes, answerOk, RawPod } from './raw-pod.ts';
import { type Message, statusOf, valuesOf } from './strict-http.ts';
import { WireClient } from './wire-client.ts';

let pod: RawPod;
let proxy: ProxyFixture;

beforeAll(async () => {
  pod = await RawPod.start();
  proxy = await startProxy([pod]);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await pod[Symbol.asyncDispose]();
});
beforeEach(() => {
  pod.asked.length = 0;
});
afterEach(() => {
  pod.behaviour = answerOk;
  expect(pod.violations).toEqual([]);
});

const GET = 'GET /rag HTTP/1.1\r\nHost: a\r\n';

/** Asks once. @param bytes the whole request */
async function ask(bytes: string, port = proxy.port): Promise<Message> {
  using client = new WireClient(port);
  return await client.send(bytes).answer(bytes.startsWith('HEAD'));
}

function namesOf({ headers }: Message): string[] {
  return headers.map(([name]) => name.toLowerCase()).sort();
}

describe('a pod', () => {
  it('gets what the client said and what the proxy adds', async () => {
    await ask(`${GET}Accept: text/*\r\nX-It: caf\xe9\r\nConnection: X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\n\r\n`);
    const [asked] = pod.asked;
    expect(namesOf(asked!)).toEqual([
      'accept',
      'connection',
      'host',
      'via',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-it',
      'x-request-id',
      'x-request-timeout-ms',
    ]);
    const said = (name: string) => valuesOf(asked!, name);
    expect([said('host'), said('x-it'), said('via'), said('connection')]).toEqual([
      ['a'],
      ['caf\xe9'],
      ['1.1 ragscale'],
      ['keep-alive'],
    ]);
    expect([said('x-forwarded-for'), said('x-forwarded-host'), said('x-forwarded-proto')]).toEqual([
      ['127.0.0.1'],
      ['a'],
      ['http'],
    ]);
    expect(said('x-request-id')[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('gets the time that is left rather than what the client asked for', async () => {
    await ask(`${GET}X-Request-Timeout-Ms: 5000\r\n\r\n`);
    await ask(`${GET}X-Request-Timeout-Ms: 999999999\r\n\r\n`);
    const left = pod.asked.map((asked) => Number(valuesOf(asked, 'x-request-timeout-ms')[0]));
    expect(left[0]).toBeLessThanOrEqual(5_000);
    expect(left[0]).toBeGreaterThan(0);
    expect(left[1]).toBeLessThanOrEqual(600_000);
    expect(left[1]).toBeGreaterThan(5_000);
  });

  it('gets every header of a request with thousands, and nothing is dropped without a word', async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => `a${index}:\r\n`).join('');
    await ask(`${GET}${many}Connection: X-Mine\r\nX-Mine: 1\r\nX-Last: 1\r\n\r\n`);
    expect(pod.asked[0]!.headers.filter(([name]) => /^a[0-9]+$/.test(name))).toHaveLength(2_500);
    expect([valuesOf(pod.asked[0]!, 'x-last'), valuesOf(pod.asked[0]!, 'x-mine')]).toEqual([['1'], []]);
  });

  it.each([
    ['GET', '', [], ''],
    ['HEAD', '', [], ''],
    ['POST', 'Content-Length: 0\r\n', ['0'], ''],
    ['POST', '', ['0'], ''],
    ['POST', 'Content-Length: 5\r\n', ['5'], '12345'],
    ['GET', 'Content-Length: 5\r\n', ['5'], '12345'],
    ['HEAD', 'Content-Length: 5\r\n', ['5'], '12345'],
  ])('gets the body as the client sent it: %s %s', async (method, fields, lengths, body) => {
    expect(statusOf(await ask(`${method} /rag HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`))).toBe(200);
    expect(pod.asked[0]!.body.toString()).toBe(body);
    expect(valuesOf(pod.asked[0]!, 'content-length')).toEqual(lengths);
  });

  it('gets Authorization where the proxy asks for no keys, and not where it does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ragscale-heads-'));
    const { key, hash } = newApiKey();
    writeFileSync(join(folder, 'keys'), `a ${hash}\n`);
    await using guarded = await startProxy([pod], { API_KEYS_FILE: join(folder, 'keys') });
    await ask(`${GET}Authorization: Bearer a\r\n\r\n`);
    expect(statusOf(await ask(`${GET}Authorization: Bearer ${key}\r\n\r\n`, guarded.port))).toBe(200);
    expect(pod.asked.map((asked) => valuesOf(asked, 'authorization'))).toEqual([['Bearer a'], []]);
    expect(statusOf(await ask(`${GET}Authorization: Bearer a\r\n\r\n`, guarded.port))).toBe(401);
    rmSync(folder, { recursive: true });
  });
});

describe('X-Request-Id', () => {
  it.each(['mine-1', 'A.b_c'])('is kept, passed on and echoed: %s', async (id) => {
    const answer = await ask(`${GET}X-Request-Id: ${id}\r\n\r\n`);
    expect([valuesOf(answer, 'x-request-id'), valuesOf(pod.asked[0]!, 'x-request-id')]).toEqual([[id], [id]]);
  });

  it.each(['', 'a b', 'caf\xe9', '<script>', 'x'.repeat(129), 'a\r\nX-Request-Id: b'])(
    'is replaced where it is not safe to write down: %j',
    async (id) => {
      const answer = await ask(`${GET}X-Request-Id: ${id}\r\n\r\n`);
      const [given] = valuesOf(answer, 'x-request-id');
      expect(given).toMatch(/^[0-9a-f-]{36}$/);
      expect(valuesOf(pod.asked[0]!, 'x-request-id')).toEqual([given]);
    },
  );

  it('is on errors too, and is not the one of the pod', async () => {
    const refused = await ask('GET /nowhere HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n');
    expect([statusOf(refused), valuesOf(refused, 'x-request-id')]).toEqual([404, ['mine']]);
    pod.behaviour = answerBytes('HTTP/1.1 200 OK\r\nX-Request-Id: other\r\nContent-Length: 0\r\n\r\n');
    expect(valuesOf(await ask(`${GET}X-Request-Id: mine\r\n\r\n`), 'x-request-id')).toEqual(['mine']);
  });
});

describe('a client', () => {
  it('gets what the pod said but for what is between pod and proxy', async () => {
    pod.behaviour = answerBytes(
      'HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-It: caf\xe9\r\nX-Ragscale-Slots: 4\r\n' +
        'Server-Timing: queue;dur=1\r\nServer-Timing: total;dur=2\r\nConnection: X-Mine\r\nConnection: Keep-Alive\r\nX-Mine: 1\r\n' +
        'Keep-Alive: timeout=7\r\nProxy-Authenticate: Basic\r\nTrailer: X-End\r\n\r\nok',
    );
    const answer = await ask(`${GET}\r\n`);
    const said = (name: string) => valuesOf(answer, name);
    expect(answer.body.toString()).toBe('ok');
    expect([said('set-cookie'), said('x-it'), said('x-ragscale-variant')]).toEqual([
      ['a=1', 'b=2'],
      ['caf\xe9'],
      ['default'],
    ]);
    expect(said('server-timing')[0]).toMatch(
      /^queue;dur=1, ?total;dur=2, proxy-wait;dur=[0-9.]+, proxy-tries;desc="1"$/,
    );
    expect(['x-ragscale-slots', 'x-mine', 'proxy-authenticate', 'trailer'].flatMap(said)).toEqual([]);
    expect(said('keep-alive')).not.toContain('timeout=7');
  });

  it('gets headers that the pod says twice', async () => {
    pod.behaviour = answerBytes(
      'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nRetry-After: 1\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n',
    );
    const answer = await ask(`${GET}\r\n`);
    expect([statusOf(answer), valuesOf(answer, 'content-type')]).toEqual([200, ['a/b', 'c/d']]);
  });

  it.each([
    ['GET', '204 No Content', '', 204, ''],
    ['GET', '304 Not Modified', 'ETag: "a"\r\n', 304, ''],
    ['GET', '304 Not Modified', 'ETag: "a"\r\nContent-Length: 5\r\n', 304, ''],
    ['GET', '200 OK', 'Content-Length: 0\r\n', 200, ''],
    ['GET', '200 OK', 'Transfer-Encoding: chunked\r\n', 200, '0\r\n\r\n'],
    ['HEAD', '200 OK', 'Content-Length: 5\r\n', 200, ''],
    ['HEAD', '200 OK', 'Content-Length: 500000\r\n', 200, ''],
    ['HEAD', '200 OK', 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n', 200, ''],
    ['HEAD', '404 Not Found', '', 404, ''],
    ['GET', '418 I am a teapot', 'Content-Length: 0\r\n', 418, ''],
    ['GET', '307 Temporary Redirect', 'Location: /rag?b\r\nContent-Length: 0\r\n', 307, ''],
  ])('gets an answer without a body, and then the next: %s %s %s', async (method, line, fields, status, body) => {
    pod.behaviour = answerBytes(`HTTP/1.1 ${line}\r\n${fields}\r\n${body}`);
    using client = new WireClient(proxy.port);
    const isHead = method === 'HEAD';
    const answer = await client.send(GET.replace('GET', method)).send('\r\n').answer(isHead);
    expect([statusOf(answer), answer.body.length]).toEqual([status, 0]);
    pod.behaviour = answerOk;
    const [, next] = await client.send(`${GET.replace('GET', method)}\r\n`).answers(2, isHead);
    expect(statusOf(next!)).toBe(200);
  });
});

describe('Expect: 100-continue', () => {
  const head = (length: number, more = ''): string =>
    `POST /rag HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n${more}\r\n`;

  it('is answered before the body is sent', async () => {
    using client = new WireClient(proxy.port);
    client.send(head(5));
    while (!client.received.includes('HTTP/1.1 100 Continue\r\n\r\n')) await new Promise(setImmediate);
    expect(pod.lines).toEqual([]);
    expect(statusOf(await client.send('12345').answer())).toBe(200);
    expect([pod.asked[0]!.body.toString(), valuesOf(pod.asked[0]!, 'expect')]).toEqual(['12345', []]);
  });

  it.each([
    ['a body that is too large', head(2_000_000), 413],
    ['a path that is not there', head(5).replace('/rag', '/nowhere'), 404],
    ['a deadline that is none', head(5, 'X-Request-Timeout-Ms: x\r\n'), 400],
  ])('is answered with the refusal, and the body is not asked for: %s', async (_, bytes, status) => {
    using client = new WireClient(proxy.port);
    const answer = await client.send(bytes).answer();
    expect([statusOf(answer), valuesOf(answer, 'connection')]).toEqual([status, ['close']]);
    expect(client.received.toString('latin1')).not.toContain('100 Continue');
    expect(pod.lines).toEqual([]);
  });

  it('of anything else is refused', async () => {
    expect(statusOf(await ask(`${GET}Expect: wonders\r\n\r\n`))).toBe(400);
  });

  it('of HTTP/1.0 is none', async () => {
    using client = new WireClient(proxy.port);
    const answer = await client.send(head(5).replace('HTTP/1.1', 'HTTP/1.0')).send('12345').answer();
    expect([statusOf(answer), client.received.includes('100 Continue')]).toEqual([200, false]);
  });
});
