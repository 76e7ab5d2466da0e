/** A pod on bare sockets: it reads requests strictly, keeps every byte, and answers with whatever bytes the test says. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Message, NotStrictError, readRequests } from './strict-http.ts';

export type RawBehaviour = (asked: Message, socket: Socket) => void;

export class RawPod implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Everything but probes, in order of arrival. */
  readonly asked: Message[] = [];
  /** What came that could be understood in two ways. */
  readonly violations: string[] = [];
  /** Connections on which anything but probes came. */
  connections = 0;
  behaviour: RawBehaviour = answerOk;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(): Promise<RawPod> {
    const server = createServer();
    const pod = new RawPod(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return pod;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Request lines of what was asked. */
  get lines(): string[] {
    return this.asked.map(({ start }) => start);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let rest: Buffer = Buffer.alloc(0);
    let counted = false;
    socket.on('data', (chunk: Buffer) => {
      const read = this.#read(Buffer.concat([rest, chunk]));
      if (read === undefined) {
        socket.destroy();
        return;
      }
      rest = read.rest;
      for (const message of read.messages) {
        if (message.start === 'GET /readyz HTTP/1.1') {
          answerOk(message, socket);
          continue;
        }
        if (!counted) this.connections += 1;
        counted = true;
        this.asked.push(message);
        this.behaviour(message, socket);
      }
    });
  }

  #read(bytes: Buffer) {
    try {
      return readRequests(bytes);
    } catch (error) {
      if (!(error instanceof NotStrictError)) throw error;
      this.violations.push(error.message);
      return undefined;
    }
  }
}

/** The body names what was asked, so that an answer that went to somebody else is noticed. */
export function answerOk({ start }: Message, socket: Socket): void {
  const path = start.split(' ')[1] ?? '';
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
}

/** These bytes and nothing else; the connection stays open unless `ends`. */
export function answerBytes(bytes: string, ends = false): RawBehaviour {
  return (_asked, socket) => {
    if (ends) socket.end(bytes, 'latin1');
    else socket.write(bytes, 'latin1');
  };
}
