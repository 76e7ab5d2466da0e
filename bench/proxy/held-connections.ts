/** How are many connections held open that ask nothing, or whose answer does not come? Bare sockets, to cost the client little. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** So many connect at a time: more would overflow the backlog, and come again a second later. */
const AT_ONCE = 100;

export interface Held {
  readonly sockets: readonly Socket[];
  /** Statuses of the answers so far. */
  readonly statuses: readonly number[];
  /** Those that the other side has not closed. */
  open(): number;
  close(): void;
}

/** @param waits whether to resolve only when each has its answer, after which it stays open */
export async function holdConnections(url: string, count: number, body: string, waits: boolean): Promise<Held> {
  const { hostname, port } = new URL(url);
  const text =
    `POST /rag HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const sockets: Socket[] = [];
  const statuses: number[] = [];
  let left = count;
  const one = async () => {
    while (left-- > 0) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      // Two parts would be counted twice, but no answer here is as long as that.
      socket.on('data', (part) => {
        const status = /^HTTP\/1\.1 (\d{3})/.exec(part.toString('latin1'))?.[1];
        if (status !== undefined) statuses.push(Number(status));
      });
      sockets.push(socket);
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      socket.write(text);
      if (waits) await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return {
    sockets,
    statuses,
    open: () => sockets.filter(({ closed, readableEnded }) => !closed && !readableEnded).length,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
