import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HandClock, settled } from '../../../test/support/hand-clock.ts';
import { KubernetesClient, type KubernetesClientOptions } from './api-client.ts';

const schema = z.object({ spec: z.object({ replicas: z.number() }) });
const PATH = '/apis/apps/v1/namespaces/rag/deployments/pods/scale';
const THREE = JSON.stringify({ spec: { replicas: 3 } });

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A token that is new each time it is asked for. */
function configOf(url: string): KubeConfig {
  let asked = 0;
  const config = new KubeConfig();
  config.addAuthenticator({
    isAuthProvider: () => true,
    applyAuthentication: async (_user, options) => {
      asked += 1;
      Object.assign(options.headers ?? {}, { Authorization: `Bearer token-${asked}` });
    },
  });
  config.loadFromOptions({
    clusters: [{ name: 'c', server: url, skipTLSVerify: true }],
    users: [{ name: 'u' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  return config;
}

async function listening(answer: RequestListener): Promise<Server> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
}

async function connected(answer: RequestListener, options: KubernetesClientOptions = {}) {
  const server = await listening(answer);
  const client = new KubernetesClient(configOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), options);
  ends.push(() => client.close());
  return { client, get: (signal?: AbortSignal) => client.request('GET', PATH, { schema, ...(signal && { signal }) }) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

describe('a request to the API server', () => {
  it('carries the credentials, the query and the body, and gives what the schema keeps of the answer', async () => {
    const asked: unknown[] = [];
    const { client } = await connected(async (request, response) => {
      const { method, url, headers } = request;
      asked.push([method, url, headers.authorization, headers['content-type'], await bodyOf(request)]);
      response.end(JSON.stringify({ kind: 'Scale', spec: { replicas: 3, more: 1 } }));
    });
    const query = { fieldManager: 'a b' };
    const body = { spec: { replicas: 3 } };
    expect(await client.request('PATCH', PATH, { query, body, schema })).toEqual({ spec: { replicas: 3 } });
    const contentType = 'application/apply-patch+yaml';
    await client.request('PATCH', PATH, { body, contentType, schema });
    await client.request('PUT', PATH, { body, schema });
    await client.request('GET', PATH, { schema });
    const text = JSON.stringify(body);
    expect(asked).toEqual([
      ['PATCH', `${PATH}?fieldManager=a+b`, 'Bearer token-1', 'application/merge-patch+json', text],
      ['PATCH', PATH, 'Bearer token-1', contentType, text],
      ['PUT', PATH, 'Bearer token-1', 'application/json', text],
      ['GET', PATH, 'Bearer token-1', undefined, ''],
    ]);
  });

  it('shares connections with those before, and not more at once than may be', async () => {
    const sockets = new Set<unknown>();
    const open: ServerResponse[] = [];
    let most = 0;
    const { get } = await connected(
      async ({ socket }, response) => {
        sockets.add(socket);
        if (open.push(response) < 3) return;
        await settled();
        most = Math.max(most, open.length);
        for (const each of open.splice(0)) each.end(THREE);
      },
      { atOnce: 3 },
    );
    await Promise.all(Array.from({ length: 18 }, () => get()));
    expect(most).toBe(3);
    expect(sockets.size).toBeLessThan(18);
  });

  it('reads the credentials anew after a minute, and when they are not accepted', async () => {
    const tokens: (string | undefined)[] = [];
    let status = 200;
    const clock = new HandClock();
    const answer: RequestListener = ({ headers }, response) => {
      tokens.push(headers.authorization);
      response.writeHead(status).end(THREE);
    };
    const { get } = await connected(answer, { clock });
    await get();
    await clock.advance(59_000);
    await get();
    await clock.advance(2_000);
    await get();
    status = 401;
    await expect(get()).rejects.toMatchObject({ status: 401 });
    status = 200;
    await get();
    expect(tokens.map((token) => token?.slice(-1))).toEqual(['1', '1', '2', '2', '3']);
  });
});

describe('what goes wrong', () => {
  it('is told in the words of the server where it refuses', async () => {
    const message = 'deployments.apps "pods" not found';
    const { get } = await connected((_, response) =>
      response.writeHead(404).end(JSON.stringify({ kind: 'Status', reason: 'NotFound', message })),
    );
    await expect(get()).rejects.toMatchObject({ name: 'KubernetesError', status: 404, reason: 'NotFound', message });
  });

  it.each([
    [502, '<html>bad gateway', { status: 502, reason: '', message: '<html>bad gateway' }],
    [500, '', { status: 500, message: 'the API server answered 500' }],
    [200, '<html>welcome', { message: `the API server answered GET ${PATH} with something that is not JSON` }],
    [200, '{}', { message: expect.stringMatching(/with something else: .*spec/s) }],
  ])('may be that something else answers: %d %s', async (status, body, error) => {
    const { get } = await connected((_, response) => response.writeHead(status).end(body));
    await expect(get()).rejects.toMatchObject(error);
  });

  it('is told with the address where nobody answers', async () => {
    const server = await listening(() => undefined);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await ends.pop()?.();
    const client = new KubernetesClient(configOf(url));
    ends.push(() => client.close());
    const asked = client.request('GET', PATH, { schema });
    await expect(asked).rejects.toThrow(`the API server cannot be asked: GET ${url}${PATH}: connect ECONNREFUSED`);
  });

  it('is a connection that is dead without notice: its request is late, and no later one takes it or its like', async () => {
    const sockets: unknown[] = [];
    const { get } = await connected(
      ({ socket }, response) => {
        sockets.push(socket);
        if (sockets.length !== 3) response.end(THREE);
      },
      { timeoutMs: 200 },
    );
    await Promise.all([get(), get()]);
    await expect(get()).rejects.toThrow(/did not answer within 200 ms: GET http/);
    await get();
    expect(sockets.slice(0, 3)).not.toContain(sockets[3]);
  });

  it('is a connection that is taken and never opened: the request is late all the same', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    const client = new KubernetesClient(configOf(`https://127.0.0.1:${port}`), { timeoutMs: 200 });
    ends.unshift(() => client.close());
    await expect(client.request('GET', PATH, { schema })).rejects.toThrow('within 200 ms');
  });

  it('is an answer that breaks off', async () => {
    const { get } = await connected((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
    });
    await expect(get()).rejects.toThrow('the API server cannot be asked');
  });

  it('is a program for credentials that hangs: the request is late, and says so', async () => {
    const config = configOf('http://127.0.0.1:9');
    config.applySecurityAuthentication = () => new Promise(() => undefined);
    const client = new KubernetesClient(config, { timeoutMs: 50 });
    await expect(client.request('GET', PATH, { schema })).rejects.toThrow('within 50 ms');
    await client.close();
  });
});

describe('a request that is not wanted any more', () => {
  it('ends with the reason of its signal, under way and before its turn', async () => {
    const { get } = await connected(() => undefined, { atOnce: 1 });
    const abort = new AbortController();
    const underWay = get(abort.signal);
    const waiting = get(abort.signal);
    abort.abort(new Error('enough'));
    await expect(underWay).rejects.toThrow('enough');
    await expect(waiting).rejects.toThrow('enough');
    await expect(get(abort.signal)).rejects.toThrow('enough');
  });

  it('ends when the client is closed', async () => {
    const { client, get } = await connected(() => undefined);
    const underWay = expect(get()).rejects.toThrow('was closed');
    await client.close();
    await underWay;
    await expect(get()).rejects.toThrow('was closed');
  });
});

describe("the server's clock", () => {
  it('is known from its last answer, and goes on', async () => {
    const clock = new HandClock();
    const date = 'Sun, 22 Nov 2026 17:19:18 GMT';
    const { client, get } = await connected((_, response) => response.setHeader('date', date).end(THREE), { clock });
    expect(client.serverNow()).toBeUndefined();
    await get();
    await clock.advance(5_000);
    expect(client.serverNow()).toBe(Date.parse(date) + 500 + 5_000);
  });
});
