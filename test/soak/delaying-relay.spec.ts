import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freePort } from '../../bench/lib/free-port.ts';

const RELAY = path.join(import.meta.dirname, 'delaying-relay.ts');
const DELAY_MS = 100;

let server: Server;
let relay: ChildProcess;
let port: number;
let onConnection: (socket: Socket) => void;

beforeEach(async () => {
  onConnection = (socket) => socket.pipe(socket);
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = await freePort();
  const { port: target } = server.address() as AddressInfo;
  relay = spawn(process.execPath, [RELAY, String(port), String(target), String(DELAY_MS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(relay.stdout as NodeJS.ReadableStream, 'data');
});

afterEach(async () => {
  relay.kill('SIGKILL');
  server.close();
});

/** All that comes until the other side ends. */
async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(socket, 'end');
  return text;
}

it('every byte comes, in its order, and later; the end too', async () => {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const start = performance.now();
  const parts = Array.from({ length: 500 }, (_, i) => `part ${i}, `);
  for (const part of parts) client.write(part);
  client.end();
  expect(await received(client)).toBe(parts.join(''));
  expect(performance.now() - start).toBeGreaterThanOrEqual(2 * DELAY_MS - 5);
});

it('a connection that breaks behind it breaks before it', async () => {
  onConnection = (socket) => socket.destroy();
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'close');
});

it('told to end it lets the answer that is under way come, then closes and ends', async () => {
  let answer: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    onConnection = (socket) => {
      answer = () => socket.write('the answer');
      socket.once('data', () => resolve());
    };
  });
  const client = connect(port, '127.0.0.1');
  client.write('a question');
  await asked;
  const text = received(client);
  const ended = once(relay, 'exit');
  relay.kill('SIGTERM');
  // Longer than the pause after which it would take a connection for idle.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(client.closed).toBe(false);
  answer();
  expect(await text).toBe('the answer');
  expect(await ended).toEqual([0, null]);
});
