import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KubernetesCollection } from './collection.ts';
import { namespaceOf } from './credentials.ts';
import { KubernetesError } from './kubernetes-error.ts';
import { ExpiredVersionError, type WatchEvent } from './list-watch.ts';

const schema = z.object({ metadata: z.object({ name: z.string(), resourceVersion: z.string() }) });
type Thing = z.output<typeof schema>;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function configOf(url: string, namespace?: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: url, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'secret' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u', ...(namespace && { namespace }) }],
    currentContext: 'x',
  });
  return config;
}

async function collection(answer: RequestListener): Promise<KubernetesCollection<Thing>> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = configOf(`http://127.0.0.1:${port}`);
  return new KubernetesCollection({ config, path: '/apis/x/v1/things', labelSelector: 'a=b', schema });
}

function watch(things: KubernetesCollection<Thing>, signal = new AbortController().signal) {
  const events: WatchEvent<Thing>[] = [];
  let isOpen = false;
  const done = things.watch(
    {
      resourceVersion: '5',
      timeoutSeconds: 60,
      onOpen: () => {
        isOpen = true;
      },
      onEvent: (event) => events.push(event),
    },
    signal,
  );
  return { events, done, isOpen: () => isOpen };
}

const never = new AbortController().signal;

describe('a collection of the API server', () => {
  it('is listed with the token and the selector', async () => {
    let asked: string | undefined;
    const things = await collection((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.authorization}`;
      response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: null }));
    });
    expect(await things.list(never)).toEqual({ items: [], resourceVersion: '7' });
    expect(asked).toBe('GET /apis/x/v1/things?labelSelector=a%3Db Bearer secret');
  });

  it('is watched line by line, wherever the pieces end', async () => {
    let asked: string | undefined;
    const lines = [
      { type: 'ADDED', object: { metadata: { name: 'ü', resourceVersion: '6' }, more: 1 } },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      { type: 'DELETED', object: { metadata: { name: 'ü', resourceVersion: '10' } } },
    ];
    const bytes = Buffer.from(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const things = await collection(async (request, response) => {
      asked = request.url;
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
    });
    const { events, done, isOpen } = watch(things);
    await done;
    expect(isOpen()).toBe(true);
    expect(new URL(asked!, 'http://x').searchParams.toString()).toBe(
      'watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=60&labelSelector=a%3Db',
    );
    expect(events).toEqual([
      { type: 'ADDED', object: { metadata: { name: 'ü', resourceVersion: '6' } } },
      { type: 'BOOKMARK', resourceVersion: '9' },
      { type: 'DELETED', object: { metadata: { name: 'ü', resourceVersion: '10' } } },
    ]);
  });

  it.each([
    ['as an answer', 410, JSON.stringify({ kind: 'Status', code: 410, message: 'too old' })],
    ['as an event', 200, `${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`],
  ])('says %s that a version has expired', async (_, statusCode, body) => {
    const things = await collection((_request, response) => response.writeHead(statusCode).end(body));
    await expect(watch(things).done).rejects.toThrow(new ExpiredVersionError('too old'));
  });

  it('refuses with the words of the server', async () => {
    const message = 'things.x is forbidden: User "me" cannot list resource "things"';
    const things = await collection((_, response) => response.writeHead(403).end(JSON.stringify({ message })));
    await expect(things.list(never)).rejects.toThrow(new KubernetesError(403, message));
    await expect(things.list(never)).rejects.toMatchObject({ status: 403 });
  });

  it('may be something else that answers', async () => {
    const things = await collection((_, response) => response.writeHead(502).end('<html>bad gateway'));
    await expect(things.list(never)).rejects.toMatchObject({ status: 502, message: '<html>bad gateway' });
    const page = await collection((_, response) => response.end('<html>welcome'));
    await expect(page.list(never)).rejects.toThrow();
    const other = await collection((_, response) => response.end('{"items": [{"kind": "Pod"}]}'));
    await expect(other.list(never)).rejects.toThrow('metadata');
  });

  it('breaks off when the server breaks off', async () => {
    const things = await collection((_, response) => {
      response.write('{"type":"ADDED"');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(watch(things).done).rejects.toThrow();
  });

  it('is left when the signal is aborted, before an answer and within one', async () => {
    const silent = await collection(() => undefined);
    await expect(silent.list(AbortSignal.timeout(50))).rejects.toThrow('timeout');
    const quiet = await collection((_, response) => response.flushHeaders());
    const abort = new AbortController();
    const { done, isOpen } = watch(quiet, abort.signal);
    await expect.poll(isOpen).toBe(true);
    abort.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
  });

  it('is in the namespace of the context, or in default', () => {
    expect(namespaceOf(configOf('https://x', 'ml\n'))).toBe('ml');
    expect(namespaceOf(configOf('https://x'))).toBe('default');
  });
});
