/** Requests that two readers could understand in two ways: they are refused, or a pod sees the one that was meant and nothing else. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProxyFixture, startProxy } from './proxy-fixture.ts';
import { RawPod } from './raw-pod.ts';
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
afterEach(async () => {
  // Whoever comes next gets the answer to what it asked: no connection to the pod holds anything of the one before.
  using next = new WireClient(proxy.port);
  const { body } = await next.send('GET /rag?next HTTP/1.1\r\nHost: a\r\n\r\n').answer();
  expect(body.toString()).toBe('/rag?next');
  expect(pod.lines.at(-1)).toBe('GET /rag?next HTTP/1.1');
  expect(pod.violations).toEqual([]);
  for (const asked of pod.asked) expect(valuesOf(asked, 'host')).toHaveLength(1);
});

const SMUGGLED = 'GET /rag?smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const SMUGGLED_AS_CHUNK = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const END_AND_SMUGGLED = `0\r\n\r\n${SMUGGLED}`;

/** @param fields header lines with `\r\n` between them */
function post(fields: string, body: string, version = '1.1'): string {
  return `POST /rag HTTP/${version}\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
}

const chunked = (body: string): string => post('Transfer-Encoding: chunked', body);

const REFUSED: readonly (readonly [what: string, bytes: string])[] = [
  ['CL.TE', post(`Content-Length: ${END_AND_SMUGGLED.length}\r\nTransfer-Encoding: chunked`, END_AND_SMUGGLED)],
  ['TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4', SMUGGLED_AS_CHUNK)],
  ['CL.TE of HTTP/1.0', post('Content-Length: 44\r\nTransfer-Encoding: chunked', END_AND_SMUGGLED, '1.0')],
  ['TE xchunked', post('Transfer-Encoding: xchunked', END_AND_SMUGGLED)],
  ['TE xchunked and a length', post('Content-Length: 5\r\nTransfer-Encoding: xchunked', END_AND_SMUGGLED)],
  ['TE identity', post('Transfer-Encoding: identity', END_AND_SMUGGLED)],
  ['TE chunked, identity', post('Transfer-Encoding: chunked, identity', END_AND_SMUGGLED)],
  ['TE identity, chunked', post('Transfer-Encoding: identity, chunked', END_AND_SMUGGLED)],
  ['TE gzip, chunked', post('Transfer-Encoding: gzip, chunked', END_AND_SMUGGLED)],
  ['TE chunked, chunked', post('Transfer-Encoding: chunked, chunked', END_AND_SMUGGLED)],
  ['TE twice', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', END_AND_SMUGGLED)],
  ['TE and another TE', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x', END_AND_SMUGGLED)],
  ['TE "chunked"', post('Transfer-Encoding: "chunked"', END_AND_SMUGGLED)],
  ['TE with a tab after it', post('Transfer-Encoding: chunked\t', END_AND_SMUGGLED)],
  ['TE with a vertical tab', post('Transfer-Encoding:\x0bchunked', END_AND_SMUGGLED)],
  ['TE with a space before the colon', post('Transfer-Encoding : chunked', END_AND_SMUGGLED)],
  ['TE with a CR before the colon', post('Transfer-Encoding\r: chunked', END_AND_SMUGGLED)],
  ['TE on a folded line', post('Transfer-Encoding:\r\n chunked', END_AND_SMUGGLED)],
  ['TE folded into another header', post('X: a\r\n Transfer-Encoding: chunked', END_AND_SMUGGLED)],
  ['a fold before the first header', 'POST /rag HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n'],
  ['TE in HTTP/1.0', post('Transfer-Encoding: chunked', END_AND_SMUGGLED, '1.0')],
  ['TE in HTTP/1.0 that stays', post('Connection: keep-alive\r\nTransfer-Encoding: chunked', END_AND_SMUGGLED, '1.0')],
  ['two equal lengths', post('Content-Length: 5\r\nContent-Length: 5', '12345')],
  ['two lengths', post('Content-Length: 5\r\nContent-Length: 44', `12345${SMUGGLED}`)],
  ['a list of lengths', post('Content-Length: 5, 5', '12345')],
  ['a length with a space before the colon', post('Content-Length : 5', '12345')],
  ...['+5', '-5', '0x5', '5e0', '5.0', '5 5', '5;', '', '99999999999999999999', '18446744073709551621'].map(
    (length) => [`length ${JSON.stringify(length)}`, post(`Content-Length: ${length}`, '12345')] as const,
  ),
  ['bare LFs', 'POST /rag HTTP/1.1\nHost: a\nContent-Length: 5\n\n12345'],
  ['a bare LF between headers', post('X: a\nTransfer-Encoding: chunked', END_AND_SMUGGLED)],
  ['a bare CR between headers', post('X: a\rTransfer-Encoding: chunked', END_AND_SMUGGLED)],
  ['a bare CR in a value', post('X: a\rY: b', '')],
  ['a bare LF before the end of the head', 'GET /rag HTTP/1.1\r\nHost: a\n\r\n'],
  ['a bare LF as the end of the head', 'GET /rag HTTP/1.1\r\nHost: a\r\n\n'],
  ['NUL in a value', post('X: a\0b', '')],
  ['NUL in a name', post('X\0: a', '')],
  ['a control character in a value', post('X: a\x01b', '')],
  ['DEL in a value', post('X: a\x7fb', '')],
  ['a header without a name', post(': a', '')],
  ['a header without a colon', post('X', '')],
  ['a name that is no token', post('X(: a', '')],
  ...['+5', '-5', '0x5', '10000000000000005', '', '5 ', ' 5', '5\t', '5g', '0;\n5'].map(
    (size) => [`chunk size ${JSON.stringify(size)}`, chunked(`${size}\r\n12345\r\n${END_AND_SMUGGLED}`)] as const,
  ),
  ['a chunk size that ends with LF', chunked(`5\n12345\r\n${END_AND_SMUGGLED}`)],
  ['a chunk that ends with LF', chunked(`5\r\n12345\n${END_AND_SMUGGLED}`)],
  ['a chunk that does not end', chunked(`5\r\n12345${END_AND_SMUGGLED}`)],
  ['a chunk longer than it says', chunked(`5\r\n1234567\r\n${END_AND_SMUGGLED}`)],
  ['a chunk extension with LF', chunked(`5;a=b\n12345\r\n${END_AND_SMUGGLED}`)],
  ['a chunk extension with CR', chunked(`5;a\rb\r\n12345\r\n${END_AND_SMUGGLED}`)],
  ['a chunk extension with a quoted line end', chunked(`5;a="\r\n"\r\n12345\r\n${END_AND_SMUGGLED}`)],
  ['a chunk extension of 20 kB', chunked(`5;${'a'.repeat(20_000)}\r\n12345\r\n${END_AND_SMUGGLED}`)],
  ['a last chunk that ends with LFs', chunked('5\r\n12345\r\n0\n\n')],
  ['a length among the trailers', chunked('5\r\n12345\r\n0\r\nContent-Length: 50\r\n\r\n')],
  ['HTTP/0.9 by name', 'GET /rag HTTP/0.9\r\nHost: a\r\n\r\n'],
  ['HTTP/1.2', 'GET /rag HTTP/1.2\r\nHost: a\r\n\r\n'],
  ['HTTP/2.0', 'GET /rag HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['HTTP/1.1x', 'GET /rag HTTP/1.1x\r\nHost: a\r\n\r\n'],
  ['http/1.1', 'GET /rag http/1.1\r\nHost: a\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['no Host', `GET /rag HTTP/1.1\r\n\r\n${SMUGGLED}`],
  ['two Hosts', 'GET /rag HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ...['a b', 'a, b', 'a/rag?', 'user@a', 'a:80:80', 'a"', '[::1'].map(
    (host) => [`Host ${host}`, `GET /rag HTTP/1.1\r\nHost: ${host}\r\n\r\n`] as const,
  ),
  ['tabs in the request line', 'GET\t/rag\tHTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space before the method', ' GET /rag HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space in the target', 'GET /rag? a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a space after the version', 'GET /rag HTTP/1.1 \r\nHost: a\r\n\r\n'],
  ['NUL in the target', 'GET /rag?\0 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['latin-1 in the target', 'GET /rag?\xff HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a CR in the target', 'GET /rag?\r HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method in lower case', 'get /rag HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method of its own', 'FOO /rag HTTP/1.1\r\nHost: a\r\n\r\n'],
];

describe('a request that can be understood in two ways', () => {
  it.each(REFUSED)('is refused, and nothing after it is read: %s', async (_, bytes) => {
    using client = new WireClient(proxy.port);
    await client.send(bytes).untilClosed();
    expect(client.final().map(statusOf)).toEqual([400]);
    expect(client.final()[0]!.body.toString()).toContain('"code":"malformed_http"');
    expect(pod.lines).toEqual([]);
  });
});

/** Of each answer its status, and what the pod saw: line and body. */
const CLEAR: readonly (readonly [what: string, bytes: string, statuses: readonly number[], seen: readonly string[]])[] =
  [
    [
      'TE with a tab before it',
      post('Transfer-Encoding:\tchunked', SMUGGLED_AS_CHUNK),
      [200],
      [`POST /rag ${SMUGGLED}`],
    ],
    ['TE in capitals', post('TRANSFER-ENCODING: CHUNKED', SMUGGLED_AS_CHUNK), [200], [`POST /rag ${SMUGGLED}`]],
    ['an underscore', post('Transfer_Encoding: chunked\r\nContent-Length: 5', '12345'), [200], ['POST /rag 12345']],
    ['a length with zeros', post('Content-Length: 005', '12345'), [200], ['POST /rag 12345']],
    ['a length with a space', post('Content-Length: 5 ', '12345'), [200], ['POST /rag 12345']],
    ['a chunk size with zeros', chunked('00000000000000000000005\r\n12345\r\n0\r\n\r\n'), [200], ['POST /rag 12345']],
    ['a chunk extension', chunked('5;a=b;c="d"\r\n12345\r\n0;e\r\n\r\n'), [200], ['POST /rag 12345']],
    ['trailers', chunked('5\r\n12345\r\n0\r\nX-Trailer: a\r\nHost: b\r\n\r\n'), [200], ['POST /rag 12345']],
    ['CL.0', post(`Content-Length: ${SMUGGLED.length}`, SMUGGLED), [200], [`POST /rag ${SMUGGLED}`]],
    [
      'a GET with a body',
      `GET /rag HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
      [200],
      [`GET /rag ${SMUGGLED}`],
    ],
    [
      'a GET with chunks',
      `GET /rag HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED_AS_CHUNK}`,
      [200],
      [`GET /rag ${SMUGGLED}`],
    ],
    [
      'Connection: content-length',
      post('Connection: content-length\r\nContent-Length: 5', '12345'),
      [200],
      ['POST /rag 12345'],
    ],
    [
      'Connection: transfer-encoding',
      post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked', SMUGGLED_AS_CHUNK),
      [200],
      [`POST /rag ${SMUGGLED}`],
    ],
    ['Connection: host', post('Connection: host, via\r\nContent-Length: 5', '12345'), [200], ['POST /rag 12345']],
    ['two spaces in the request line', 'GET  /rag HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET /rag ']],
    ['empty lines before it', '\r\n\r\nGET /rag HTTP/1.1\r\nHost: a\r\n\r\n', [200], ['GET /rag ']],
    ['HTTP/1.0', 'GET /rag HTTP/1.0\r\n\r\n', [200], ['GET /rag ']],
    ['an empty Host', 'GET /rag HTTP/1.1\r\nHost:\r\n\r\n', [200], ['GET /rag ']],
    ['an address as Host', 'GET /rag HTTP/1.1\r\nHost: [::1]:9000\r\n\r\n', [200], ['GET /rag ']],
    [
      'an upgrade to h2c',
      'GET /rag HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      [200],
      ['GET /rag '],
    ],
    // What follows an upgrade may be of another protocol: it is not read as HTTP.
    [
      'an upgrade with more',
      `GET /rag HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${SMUGGLED}`,
      [200],
      ['GET /rag '],
    ],
    ['an absolute target', 'GET http://a/rag HTTP/1.1\r\nHost: a\r\n\r\n', [404], []],
    ['an absolute target elsewhere', 'GET http://b/rag HTTP/1.1\r\nHost: a\r\n\r\n', [404], []],
    ['a target with a fragment', 'GET /rag?a#b HTTP/1.1\r\nHost: a\r\n\r\n', [404], []],
    ['GET *', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', [404], []],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', [405], []],
    ['TRACE', 'TRACE /rag HTTP/1.1\r\nHost: a\r\n\r\n', [405], []],
    ['CONNECT', `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`, [405], []],
    [
      'a refused one with a body',
      post('Content-Length: 5', '12345').replace('/rag', '/metrics') + SMUGGLED,
      [404, 200],
      ['GET /rag?smuggled '],
    ],
    ['a second that was meant', post('Content-Length: 0', SMUGGLED), [200, 200], ['POST /rag ', 'GET /rag?smuggled ']],
  ];

describe('a request that can be understood in one way', () => {
  it.each(CLEAR)('reaches the pod as that, or not at all: %s', async (_, bytes, statuses, seen) => {
    using client = new WireClient(proxy.port);
    expect((await client.send(bytes).answers(statuses.length)).map(statusOf)).toEqual(statuses);
    expect(pod.asked.map(lineAndBody)).toEqual(seen);
  });

  it('that is no request yet is waited for', async () => {
    using client = new WireClient(proxy.port);
    client.send('GET /rag\r\n');
    client.socket.end();
    await client.untilClosed();
    expect(pod.lines).toEqual([]);
  });
});

function lineAndBody({ start, body }: Message): string {
  return `${start.replace(' HTTP/1.1', '')} ${body.toString('latin1')}`;
}

describe('bytes that are no request', () => {
  it('after one that waits for its answer do not overtake that answer', async () => {
    using client = new WireClient(proxy.port);
    await client.send(`${post('Content-Length: 5', '12345')}garbage\r\n\r\n`).untilClosed();
    expect(client.final().map(statusOf)).toEqual([200]);
    expect(valuesOf(client.final()[0]!, 'connection')).toEqual(['close']);
    expect(pod.asked.map(lineAndBody)).toEqual(['POST /rag 12345']);
  });

  it('after an answer get one of their own', async () => {
    using client = new WireClient(proxy.port);
    await client.send(post('Content-Length: 5', '12345')).answer();
    await client.send('garbage\r\n\r\n').untilClosed();
    expect(client.final().map(statusOf)).toEqual([200, 400]);
  });

  it('in a body are the end of its request alone', async () => {
    using client = new WireClient(proxy.port);
    await client.send(`${post('Content-Length: 5', '12345')}${chunked('zz\r\n')}`).untilClosed();
    expect(client.final().map(statusOf)).toEqual([200, 400]);
    expect(client.final()[1]!.headers.map(([name]) => name)).toContain('x-request-id');
    expect(pod.asked.map(lineAndBody)).toEqual(['POST /rag 12345']);
  });
});
