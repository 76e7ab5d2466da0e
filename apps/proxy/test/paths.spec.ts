/** Which paths are forwarded, whatever way they are written. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { startProxy } from './proxy-fixture.ts';
import { type Message, statusOf } from './strict-http.ts';
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

describe('paths', () => {
  it.each([
    '/',
    '/metrics',
    '/livez',
    '/readyz',
    '/RAG',
    '/rag/',
    '//rag',
    '/rag/../metrics',
    '/./rag',
    '/%72ag',
    '/rag%2f..%2fmetrics',
    '/rag;x=1',
    '/v1',
    '/v1/../metrics',
    '/v1/..',
    '/v1/./models',
    '/v1//models',
    '/v1/%2e%2e/metrics',
    '/v1/..%2fmetrics',
    '/v1/.hidden',
    '/v1/a\\..\\metrics',
    '/v1/models;/../x',
    '/docs/../metrics',
    'http://127.0.0.1/metrics',
    '*',
    '/rag?a#b',
    '/v1/#',
  ])('that are not public are a 404, and no pod is asked: %s', async (path) => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    const answer = await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).answer();
    expect([statusOf(answer), codeOf(answer), pod.asked]).toEqual([404, 'not_found', []]);
  });

  it.each([
    '/rag',
    '/rag?',
    '/rag?a=b&c=%2e%2e/d?e',
    '/rag?/../metrics',
    '/v1/models',
    '/v1/models/a-b_c.d~e?x',
    '/v1/',
    '/docs',
    '/docs/a.js',
  ])('that are public are passed on as they came: %s', async (path) => {
    await using proxy = await startProxy([pod]);
    using client = new WireClient(proxy.port);
    expect(statusOf(await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).answer())).toBe(200);
    expect(pod.asked.map(({ url }) => url)).toEqual([path]);
  });
});
