import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client } from './client.ts';

const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  whole: (response) => response.end('{}'),
  refused: (response) => response.writeHead(429).end('{}'),
  reset: (response) => response.destroy(),
  cut: (response) => response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
  silent: () => {},
  stream: (response) => events(response).end('event: token\ndata: {}\n\nevent: done\ndata: {}\n\n'),
  'stream that ends early': (response) => events(response).end('event: sources\ndata: {}\n\n'),
  'stream that breaks': (response) => events(response).write('event: token\ndata: {}\n\n', () => response.destroy()),
  'stream that says so': (response) => events(response).end('event: token\ndata: {}\n\nevent: error\ndata: {}\n\n'),
  'stream that fails at once': (response) => events(response).end(': alive\n\nevent: error\ndata: {}\n\n'),
};

function events(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' });
}

const server = createServer(async (incoming, response) => {
  let body = '';
  for await (const part of incoming) body += part;
  ANSWERS[(JSON.parse(body) as { query: string }).query]!(response);
});
const client = new Client();

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

test.each([
  ['whole', 'answered', 200, false],
  ['refused', 'status', 429, false],
  ['reset', 'reset', 0, false],
  ['cut', 'cut', 200, false],
  ['silent', 'timeout', 0, false],
  ['stream', 'answered', 200, true],
  ['stream that ends early', 'broken-stream', 200, true],
  ['stream that breaks', 'broken-stream', 200, true],
  ['stream that says so', 'error-event', 200, true],
  ['stream that fails at once', 'error-event', 200, false],
])('%s: %s', async (query, ending, status, began) => {
  const { port } = server.address() as AddressInfo;
  const outcome = await client.ask(`http://127.0.0.1:${port}`, { query }, { timeoutMs: 300 });
  expect(outcome).toMatchObject({ ending, status, began });
});
