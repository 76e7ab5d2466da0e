/** Pods whose answers are framed wrongly or in two ways: the client gets one answer or an error, and the next client what it asked for. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProxyFixture, startProxy } from './proxy-fixture.ts';
import { answerBytes, answerOk, RawPod } from './raw-pod.ts';
import { statusOf, valuesOf } from './strict-http.ts';
import { WireClient } from './wire-client.ts';

let pod: RawPod;
let proxy: ProxyFixture;

beforeAll(async () => {
  pod = await RawPod.start();
  // Never taken out, never tried twice: each case stands for itself.
  proxy = await startProxy([pod], { EJECTION_FAILURES: '1000', MAX_TRIES: '1' });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await pod[Symbol.asyncDispose]();
});
beforeEach(() => {
  pod.asked.length = 0;
});
afterEach(async () => {
  pod.behaviour = answerOk;
  using next = new WireClient(proxy.port);
  const { body } = await next.send('GET /rag?next HTTP/1.1\r\nHost: a\r\n\r\n').answer();
  expect(body.toString()).toBe('/rag?next');
  expect(pod.violations).toEqual([]);
});

const ASK = 'GET /rag HTTP/1.1\r\nHost: a\r\n\r\n';
const OTHER = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
const ok = (fields: string, body: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${body}`;
/** Too long to be collected, so that it leaves piece by piece. */
const LONG = 'x'.repeat(100_000);

describe('an answer that is no answer', () => {
  it.each([
    ['a length and chunks', ok('Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${OTHER}`)],
    ['chunks and a length', ok('Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${OTHER}`)],
    ['two lengths', ok('Content-Length: 5\r\nContent-Length: 6', '12345')],
    ['a list of lengths', ok('Content-Length: 5, 6', '12345')],
    ['a negative length', ok('Content-Length: -5', '12345')],
    ['a length with a sign', ok('Content-Length: +5', '12345')],
    ['a huge length', ok('Content-Length: 99999999999999999999', '12345')],
    ['a chunk size that is none', ok('Transfer-Encoding: chunked', 'zz\r\n12345\r\n0\r\n\r\n')],
    ['no status', 'HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345'],
    ['a status that is none', 'HTTP/1.1 abc OK\r\nContent-Length: 5\r\n\r\n12345'],
    ['a 100 that nobody expects', `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 5', '12345')}`],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', '\x00\x00\x12\x04\x00\x00\x00\x00\x00'],
    ['a bare CR in a header', ok('X: a\rSet-Cookie: b\r\nContent-Length: 5', '12345')],
    ['a bare LF in a header', ok('X: a\nSet-Cookie: b\r\nContent-Length: 5', '12345')],
    ['NUL in a header', ok('X: a\0b\r\nContent-Length: 5', '12345')],
    ['a folded header', ok('X: a\r\n b\r\nContent-Length: 5', '12345')],
    ['a space before the colon', ok('Content-Length : 5', '12345')],
    ['headers of 20 kB', ok(`X: ${'a'.repeat(20_000)}\r\nContent-Length: 5`, '12345')],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n12345'],
  ])('is a 502: %s', async (_, bytes) => {
    pod.behaviour = answerBytes(bytes, true);
    using client = new WireClient(proxy.port);
    const answer = await client.send(ASK).answer();
    expect([statusOf(answer), answer.body.toString()]).toEqual([502, expect.stringContaining('upstream_failed')]);
  });

  it.each([
    ['nothing at all', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['less than it said', ok('Content-Length: 50', '12345')],
    ['chunks without an end', ok('Content-Type: application/json\r\nContent-Length: 8', '{"a":1')],
  ])('is a 502 when the pod closes: %s', async (_, bytes) => {
    pod.behaviour = answerBytes(bytes, true);
    using client = new WireClient(proxy.port);
    expect(statusOf(await client.send(ASK).answer())).toBe(502);
  });
});

describe('an answer that breaks off when it has begun', () => {
  it.each([
    ['with a length', ok('Content-Length: 200000', LONG)],
    ['in chunks', ok('Transfer-Encoding: chunked', `186a0\r\n${LONG}\r\n`)],
    ['with a bad chunk', ok('Transfer-Encoding: chunked', `186a0\r\n${LONG}\r\nzz\r\n`)],
  ])('closes the connection, so that it is not taken for whole: %s', async (_, bytes) => {
    pod.behaviour = answerBytes(bytes, true);
    using client = new WireClient(proxy.port);
    await client.send(ASK).untilClosed();
    expect(client.received.toString('latin1')).toContain('HTTP/1.1 200 OK\r\n');
    expect(client.final()).toEqual([]);
  });
});

describe('an answer', () => {
  it.each([
    ['after a length', ok('Content-Length: 5', `12345${OTHER}`), '12345'],
    ['after chunks', ok('Transfer-Encoding: chunked', `5\r\n12345\r\n0\r\n\r\n${OTHER}`), '12345'],
    ['after no body', `HTTP/1.1 204 No Content\r\n\r\n${OTHER}`, ''],
  ])('is not mixed with what the pod sends %s', async (_, bytes, body) => {
    pod.behaviour = answerBytes(bytes);
    using client = new WireClient(proxy.port);
    expect((await client.send(ASK).answer()).body.toString()).toBe(body);
    pod.behaviour = answerOk;
    const answers = await client.send(ASK.replace('/rag', '/rag?second')).answers(2);
    expect(answers[1]!.body.toString()).toBe('/rag?second');
  });

  it('without a length ends with the connection to the pod, not with that to the client', async () => {
    pod.behaviour = answerBytes('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n12345', true);
    using client = new WireClient(proxy.port);
    const answer = await client.send(ASK).answer();
    expect([valuesOf(answer, 'transfer-encoding'), answer.body.toString()]).toEqual([['chunked'], '12345']);
    await client.send(ASK).answers(2);
  });

  it.each(['102 Processing', '103 Early Hints'])('is the final one: %s before it is dropped', async (interim) => {
    pod.behaviour = answerBytes(`HTTP/1.1 ${interim}\r\nLink: a\r\n\r\n${ok('Content-Length: 5', '12345')}`);
    using client = new WireClient(proxy.port);
    expect((await client.send(ASK).answer()).body.toString()).toBe('12345');
    expect(client.received.toString('latin1')).not.toContain('Link');
  });

  it('to HEAD has no body even if the pod sends one', async () => {
    pod.behaviour = answerBytes(ok('Content-Length: 5', '12345'));
    using client = new WireClient(proxy.port);
    const answer = await client.send(ASK.replace('GET', 'HEAD')).answer(true);
    expect(valuesOf(answer, 'content-length')).toEqual(['5']);
    pod.behaviour = answerOk;
    client.send(ASK.replace('GET', 'HEAD').replace('/rag', '/rag?12'));
    expect((await client.answers(2, true)).map((each) => valuesOf(each, 'content-length'))).toEqual([['5'], ['7']]);
  });

  it('in events with a length that breaks off leaves the connection in order', async () => {
    pod.behaviour = answerBytes(
      ok('Content-Type: text/event-stream\r\nContent-Length: 500', 'data: 1\n\ndata: 2'),
      true,
    );
    using client = new WireClient(proxy.port);
    const answer = await client.send(ASK).answer();
    expect(valuesOf(answer, 'content-length')).toEqual([]);
    expect(answer.body.toString()).toMatch(/^data: 1\n\nevent: error\ndata: \{"error":.*"upstream_failed".*\}\n\n$/);
    pod.behaviour = answerOk;
    expect((await client.send(ASK).answers(2))[1]!.body.toString()).toBe('/rag');
  });

  it('that is compressed is not looked into', async () => {
    const fields = 'Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked';
    pod.behaviour = answerBytes(ok(fields, '5\r\n\x1f\x8b\x08\n\n\r\n'), true);
    using client = new WireClient(proxy.port);
    await client.send(ASK).untilClosed();
    expect(client.received.toString('latin1')).not.toContain('error');
  });
});
