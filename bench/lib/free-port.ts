/** Which port is free on this machine, now? */
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Below the range from which Linux takes the ports of outgoing connections (32768 on, by default). */
const LASTING = { from: 20_000, to: 32_000 } as const;
let last = LASTING.from + Math.floor(Math.random() * (LASTING.to - LASTING.from));

/**
 * One that stays free while its server is down: no connection is given it as its own port, nor can one that is tried meanwhile reach itself.
 * Each call gives another.
 */
export async function lastingPort(): Promise<number> {
  for (;;) {
    last = last + 1 < LASTING.to ? last + 1 : LASTING.from;
    const port = last;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
