import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Lifecycle } from '@ragscale/service/lifecycle';
import { createLogger } from '@ragscale/service/logging';
import { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { type AdministrationParts, createAdministration } from './administration.ts';
import { RegistrationDiscovery } from './discovery/registration-discovery.ts';

const server: { running?: Server } = {};
afterEach(async () => {
  server.running?.closeAllConnections();
  server.running?.close();
});

const report = { id: '10.0.0.1:8000', state: 'healthy', inFlight: 2, cap: 4, weight: 1, latencyMs: 12.5 } as const;

async function start(parts: Partial<AdministrationParts> = {}) {
  const log: Record<string, unknown>[] = [];
  const lifecycle = new Lifecycle();
  const metrics = new ProxyMetrics({ objectiveSeconds: 2 });
  metrics.addRoute('default');
  const running = createAdministration({
    lifecycle,
    metrics,
    logger: createLogger({ level: 'info', format: 'json' }, { write: (line: string) => log.push(JSON.parse(line)) }),
    endpoints: () => ({ default: [report], empty: [] }),
    ...parts,
  });
  server.running = running;
  running.listen(0, '127.0.0.1');
  await once(running, 'listening');
  const { port } = running.address() as AddressInfo;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, headers: response.headers, text, body: isJson && text ? JSON.parse(text) : null };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { port, log, lifecycle, ask, post };
}

async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    answer += part;
  });
  await once(socket, 'close');
  return answer;
}

describe('probes', () => {
  it('say that it lives, and whether it takes requests', async () => {
    const { ask, lifecycle } = await start();
    expect(await ask('/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const early = await ask('/readyz');
    expect(early).toMatchObject({ status: 503, body: { error: { code: 'not_ready' } } });
    expect(early.headers.get('retry-after')).toBe('2');
    lifecycle.advance('ready');
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    for (const state of ['leaving', 'draining'] as const) {
      lifecycle.advance(state);
      expect(await ask('/readyz')).toMatchObject({ status: 503, body: { error: { code: 'draining' } } });
      expect((await ask('/livez')).status).toBe(200);
    }
  });

  it('are answered without a body to HEAD, and whatever the query', async () => {
    const { ask } = await start();
    expect(await ask('/livez?verbose', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });
});

describe('what operators see', () => {
  it('is the metrics, in the text format', async () => {
    const { ask } = await start();
    const { headers, text } = await ask('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('ragscale_proxy_arrivals_total{route="default"} 0\n');
  });

  it('is every endpoint of every route', async () => {
    const { ask } = await start();
    expect((await ask('/endpoints')).body).toEqual({ routes: { default: [report], empty: [] } });
  });

  it('is not the cause of a fault, which is in the log', async () => {
    const { ask, log } = await start({
      endpoints: () => {
        throw new Error('an internal detail');
      },
    });
    const { status, text } = await ask('/endpoints', { headers: { 'x-request-id': 'log-1' } });
    expect({ status, text }).toEqual({ status: 500, text: expect.not.stringContaining('detail') });
    expect(log).toMatchObject([{ level: 'error', requestId: 'log-1', err: { message: 'an internal detail' } }]);
  });
});

describe('what is refused', () => {
  it('is a path that is not there, by the list of those that are', async () => {
    const { ask } = await start();
    const { status, body, headers } = await ask('/rag', { headers: { 'x-request-id': 'mine' } });
    expect({ status, body }).toEqual({
      status: 404,
      body: {
        error: {
          message: expect.stringContaining('/livez, /readyz, /metrics, /endpoints'),
          type: 'invalid_request_error',
          code: 'not_found',
          param: null,
        },
      },
    });
    expect(headers.get('x-request-id')).toBe('mine');
    for (const path of ['/livez/', '/__proto__', '/constructor', '//livez']) expect((await ask(path)).status).toBe(404);
  });

  it('is a method that the path does not take', async () => {
    const { ask, post } = await start();
    const wrong = await post('/metrics', {});
    expect(wrong).toMatchObject({ status: 405, body: { error: { message: 'this path takes GET, HEAD' } } });
    expect(wrong.headers.get('allow')).toBe('GET, HEAD');
    const other = await ask('/register');
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each([
    ['NONSENSE\r\n\r\n', 400, 'malformed_http'],
    ['GET /livez HTTP/1.1\r\n\r\n', 400, 'malformed_http'],
    [`GET /livez HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    ['GET /livez HTTP/1.1\r\nhost: a\r\nexpect: more\r\nconnection: close\r\n\r\n', 400, 'invalid_request'],
  ])('is what is no clear HTTP: %#', async (bytes, status, code) => {
    const { port } = await start();
    const closing = bytes.includes('connection') ? bytes : bytes.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n');
    const answer = await sendRaw(port, closing);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ error: { code } });
  });
});

describe('registration', () => {
  async function startWithRegistry() {
    const registry = new RegistrationDiscovery();
    const registration = {
      register: (url: string) => registry.register(url),
      unregister: (url: string) => registry.unregister(url),
      assign: () => registry.list()[0],
    };
    return { registry, ...(await start({ registration })) };
  }

  it('is off unless asked for, and says how to turn it on', async () => {
    const { ask, post } = await start();
    const off = { status: 404, body: { error: { message: expect.stringContaining('REGISTRATION=on') } } };
    expect(await post('/register', { url: 'http://10.0.0.1:8000' })).toMatchObject(off);
    expect(await post('/unregister', {})).toMatchObject(off);
    expect(await ask('/assign')).toMatchObject(off);
  });

  it('takes pods by URL or by host and port, lets them go, and names one', async () => {
    const { ask, post, registry } = await startWithRegistry();
    expect(await ask('/assign')).toMatchObject({ status: 503, body: { error: { code: 'no_backend' } } });
    const url = 'http://10.0.0.1:8000';
    expect(await post('/register', { url })).toMatchObject({ status: 200, body: { url, changed: true } });
    expect(await post('/register', { host: '10.0.0.1', port: 8000 })).toMatchObject({ body: { url, changed: false } });
    expect((await post('/register', { host: '::1', port: 8000 })).body).toEqual({
      url: 'http://[::1]:8000',
      changed: true,
    });
    expect(registry.list()).toEqual([url, 'http://[::1]:8000']);
    expect(await ask('/assign')).toMatchObject({ status: 200, body: { url } });
    expect((await post('/unregister', { url })).body).toEqual({ url, changed: true });
    expect((await post('/unregister', { url })).body).toEqual({ url, changed: false });
    expect(registry.list()).toEqual(['http://[::1]:8000']);
  });

  it.each([
    ['{', 400, 'invalid_json', null],
    ['"\ud800', 400, 'invalid_json', null],
    ['[]', 400, 'invalid_request', null],
    ['null', 400, 'invalid_request', null],
    ['{}', 400, 'invalid_request', 'url'],
    ['{"url": 1}', 400, 'invalid_request', 'url'],
    ['{"url": "https://a:1"}', 400, 'invalid_request', 'url'],
    ['{"url": "http://user:password@a:1"}', 400, 'invalid_request', 'url'],
    ['{"url": "http://a:1/path"}', 400, 'invalid_request', 'url'],
    ['{"url": "http://a:1", "more": 1}', 400, 'invalid_request', null],
    ['{"host": "a"}', 400, 'invalid_request', 'port'],
    ['{"host": "a", "port": 0}', 400, 'invalid_request', 'port'],
    ['{"host": "a", "port": "80"}', 400, 'invalid_request', 'port'],
    ['{"host": "a/b@c", "port": 80}', 400, 'invalid_request', 'host'],
    [`{"url": "${'x'.repeat(5_000)}"}`, 413, 'payload_too_large', null],
  ])('refuses %s', async (text, status, code, param) => {
    const { post, registry } = await startWithRegistry();
    const answer = await post('/register', text);
    expect(answer).toMatchObject({ status, body: { error: { code, param } } });
    expect(answer.text).not.toContain('password');
    expect(registry.list()).toEqual([]);
  });

  it('refuses what a form of a page could send', async () => {
    const { post } = await startWithRegistry();
    const answer = await post('/register', { url: 'http://a:1' }, { 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 415, body: { error: { param: 'Content-Type' } } });
  });

  it('says nothing of a client that goes away in the middle', async () => {
    const { port, log, ask } = await startWithRegistry();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /register HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{');
    await ask('/livez');
    socket.destroy();
    await once(socket, 'close');
    await ask('/livez');
    expect(log).toEqual([]);
  });

  it('gives a body that goes on for ever its answer, and closes', async () => {
    const { port } = await startWithRegistry();
    const head =
      'POST /register HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n';
    const answer = await sendRaw(port, `${head}${'x'.repeat(100_000)}`);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });
});
