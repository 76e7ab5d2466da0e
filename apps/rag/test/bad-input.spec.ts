/** Whatever a client sends, it gets a 4xx in the one shape, and the pod lives on. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PodFixture, sendRaw, startPod } from './pod-fixture.ts';

let pod: PodFixture;

beforeAll(async () => {
  pod = await startPod();
});
afterAll(() => pod[Symbol.asyncDispose]());
afterEach(async () => {
  expect((await fetch(`${pod.url}/livez`)).status).toBe(200);
  expect((await pod.post({ query: 'still there?' })).status).toBe(200);
});

interface ErrorJson {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string;
    readonly param: string | null;
  };
}

async function errorOf(response: Response): Promise<ErrorJson['error']> {
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(response.headers.get('x-request-id')).toBeTruthy();
  const body = (await response.json()) as ErrorJson;
  expect(Object.keys(body)).toEqual(['error']);
  expect(Object.keys(body.error)).toEqual(['message', 'type', 'code', 'param']);
  return body.error;
}

describe('fields', () => {
  it.each([
    ['no query', {}, 'query', 'query: is required'],
    ['an empty query', { query: '' }, 'query', 'query: must not be empty'],
    ['white space', { query: ' \n\t' }, 'query', 'query: must not be empty'],
    ['a number', { query: 42 }, 'query', 'query: must be a string'],
    ['null', { query: null }, 'query', 'query: must be a string'],
    ['an array', { query: ['a'] }, 'query', 'query: must be a string'],
    ['a query over the limit', { query: 'a'.repeat(8_193) }, 'query', 'query: must have at most 8192 characters'],
    ['k 0', { query: 'a', k: 0 }, 'k', 'k: must be an integer from 1 to 20'],
    ['k -1', { query: 'a', k: -1 }, 'k', 'k: must be an integer from 1 to 20'],
    ['k 1.5', { query: 'a', k: 1.5 }, 'k', 'k: must be an integer from 1 to 20'],
    ['k 1e9', { query: 'a', k: 1e9 }, 'k', 'k: must be an integer from 1 to 20'],
    ['k as text', { query: 'a', k: '2' }, 'k', 'k: must be an integer from 1 to 20'],
    ['k null', { query: 'a', k: null }, 'k', 'k: must be an integer from 1 to 20'],
    ['max_tokens 0', { query: 'a', max_tokens: 0 }, 'max_tokens', 'max_tokens: must be an integer of at least 1'],
    ['temperature 3', { query: 'a', temperature: 3 }, 'temperature', 'temperature: must be a number from 0 to 2'],
    ['top_p 0', { query: 'a', top_p: 0 }, 'top_p', 'top_p: must be a number over 0 and at most 1'],
    ['top_k 1001', { query: 'a', top_k: 1001 }, 'top_k', 'top_k: must be an integer from 0 to 1000'],
    ['seed 0.5', { query: 'a', seed: 0.5 }, 'seed', 'seed: must be an integer'],
    [
      'five stops',
      { query: 'a', stop: ['1', '2', '3', '4', '5'] },
      'stop',
      'stop: must be a string of 1 to 64 characters, or at most 4 of them',
    ],
    [
      'an empty stop',
      { query: 'a', stop: '' },
      'stop',
      'stop: must be a string of 1 to 64 characters, or at most 4 of them',
    ],
    ['stream as text', { query: 'a', stream: 'yes' }, 'stream', 'stream: must be true or false'],
    ['ignore_eos 1', { query: 'a', ignore_eos: 1 }, 'ignore_eos', 'ignore_eos: must be true or false'],
    ['an unknown field', { query: 'a', qeury: 'b' }, 'qeury', 'qeury: is not a known field'],
    ['an array as the body', [{ query: 'a' }], null, 'the body must be a JSON object such as {"query": "..."}'],
    ['a string as the body', '"query"', null, 'the body must be a JSON object such as {"query": "..."}'],
    ['null as the body', 'null', null, 'the body must be a JSON object such as {"query": "..."}'],
    [
      'half a surrogate pair',
      '{"query":"\\ud800"}',
      'query',
      'query: must be well-formed Unicode: it holds half of a surrogate pair',
    ],
  ])('are named: %s', async (_, body, param, message) => {
    const response = await pod.post(body);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toEqual({ message, type: 'invalid_request_error', code: 'invalid_request', param });
  });

  it('are named all at once, but not thousands of them', async () => {
    expect((await errorOf(await pod.post({ k: 0, extra: 1 }))).message).toBe(
      'query: is required; k: must be an integer from 1 to 20; extra: is not a known field',
    );
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`f${index}`, 1]));
    const { message } = await errorOf(await pod.post({ query: 'a', ...many }));
    expect(message).toMatch(/^f0: is not a known field; .*; and 4995 more$/);
    expect(message.length).toBeLessThan(300);
    const long = await errorOf(await pod.post({ query: 'a', ['x'.repeat(10_000)]: 1 }));
    expect(long.message.length).toBeLessThan(150);
  });

  it('that ask for more tokens than the models take are told the limit', async () => {
    const long = await errorOf(await pod.post({ query: 'word '.repeat(300) }));
    expect(long).toMatchObject({
      code: 'context_length_exceeded',
      param: 'query',
      message: expect.stringContaining('200'),
    });
    const wide = await errorOf(await pod.post({ query: 'a', max_tokens: 513 }));
    expect(wide).toMatchObject({
      code: 'context_length_exceeded',
      param: 'max_tokens',
      message: expect.stringContaining('512'),
    });
  });

  it.each(['0', '-5', 'soon', '1.5'])('of the header X-Request-Timeout-Ms are checked: %s', async (value) => {
    const response = await pod.post({ query: 'a' }, { 'x-request-timeout-ms': value });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ code: 'invalid_request', param: 'X-Request-Timeout-Ms' });
  });
});

describe('bodies', () => {
  it.each([
    ['nothing', '', 400, 'invalid_json'],
    ['half an object', '{"query": "a"', 400, 'invalid_json'],
    ['no JSON', 'query=a', 400, 'invalid_json'],
    ['broken UTF-8', Buffer.from('7b227175657279223a22ff227d', 'hex'), 400, 'invalid_json'],
    ['UTF-16', Buffer.from('{"query":"a"}', 'utf16le'), 400, 'invalid_json'],
    ['a megabyte', JSON.stringify({ query: 'a'.repeat(1024 * 1024) }), 413, 'payload_too_large'],
    ['one byte over the limit', JSON.stringify({ query: 'a'.repeat(65_537 - 12) }), 413, 'payload_too_large'],
    ['deep nesting', '['.repeat(60_000), 400, 'invalid_json'],
  ])('are refused: %s', async (_, body, status, code) => {
    const response = await pod.post(body);
    expect([response.status, (await errorOf(response)).code]).toEqual([status, code]);
  });

  it.each([
    [{ 'content-type': 'text/plain' }, 'Content-Type'],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 'Content-Type'],
    [{ 'content-type': 'application/jsonx' }, 'Content-Type'],
    [{ 'content-type': '' }, 'Content-Type'],
    [{ 'content-type': 'application/json; charset=iso-8859-1' }, 'Content-Type'],
    [{ 'content-encoding': 'gzip' }, 'Content-Encoding'],
  ])('of another type are refused: %j', async (headers, param) => {
    const response = await pod.post('{"query":"a"}', headers);
    expect([response.status, await errorOf(response)]).toMatchObject([415, { code: 'unsupported_media_type', param }]);
  });

  it('without a type or a body are refused', async () => {
    const response = await fetch(`${pod.url}/rag`, { method: 'POST' });
    expect([response.status, await errorOf(response)]).toMatchObject([400, { code: 'invalid_request', param: null }]);
  });
});

describe('paths and methods', () => {
  it('that do not exist are a 404', async () => {
    for (const path of ['/', '/ragg', '/rag/', '/RAG', '/docs/nothing', '/..%2f..%2fetc/passwd']) {
      const response = await fetch(pod.url + path);
      expect([path, response.status, (await errorOf(response)).code]).toEqual([path, 404, 'not_found']);
    }
  });

  it('that do not go together are a 405 with Allow', async () => {
    const get = await fetch(`${pod.url}/rag?query=a`);
    expect([get.status, get.headers.get('allow'), (await errorOf(get)).code]).toEqual([
      405,
      'POST',
      'method_not_allowed',
    ]);
    const post = await fetch(`${pod.url}/metrics`, { method: 'DELETE' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('that are badly encoded are a 400', async () => {
    const answer = await sendRaw(pod.port, 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 400 .*"code":"malformed_http"/s);
  });
});

describe('bytes that are not HTTP', () => {
  it.each([
    ['garbage', 'EHLO there\r\n\r\n', '400', 'malformed_http'],
    ['a TLS hello', Buffer.from('16030100ff010000fb0303', 'hex'), '400', 'malformed_http'],
    ['HTTP/3.7', 'GET / HTTP/3.7\r\nHost: a\r\n\r\n', '400', 'malformed_http'],
    ['no Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', '400', 'malformed_http'],
    ['an unknown expectation', 'GET /livez HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n', '400', 'invalid_request'],
    ['two Hosts', 'GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n', '400', 'malformed_http'],
    ['QUERY without a type', 'QUERY /rag HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '400', 'invalid_request'],
    ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400', 'malformed_http'],
    [
      'bad chunks',
      'POST /rag HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      '400',
      'malformed_http',
    ],
    [
      'a header of 20 kB',
      `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      '431',
      'headers_too_large',
    ],
    ['a URL of 20 kB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, '431', 'headers_too_large'],
  ])('are answered in the one shape: %s', async (_, bytes, status, code) => {
    const answer = await sendRaw(pod.port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect((JSON.parse(answer.slice(answer.indexOf('{'))) as ErrorJson).error.code).toBe(code);
  });
});
