/** A client that sends bytes as they are given and reads the answers strictly. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Message, readResponses, statusOf } from './strict-http.ts';

export class WireClient implements Disposable {
  readonly socket: Socket;
  closed = false;
  /** Whether the connection was reset rather than ended. */
  wasReset = false;
  readonly #parts: Buffer[] = [];

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (part: Buffer) => this.#parts.push(part));
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.wasReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    });
    this.socket.once('close', () => {
      this.closed = true;
    });
  }

  /** @param bytes text is latin-1 */
  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  get received(): Buffer {
    const all = Buffer.concat(this.#parts);
    this.#parts.splice(0, Number.POSITIVE_INFINITY, all);
    return all;
  }

  /** Resolves with the first `count` final answers; fails when the connection ends before. */
  async answers(count = 1, heads = false): Promise<Message[]> {
    for (;;) {
      const final = this.final(heads);
      if (final.length >= count) return final.slice(0, count);
      if (this.closed) throw new Error(`closed after ${this.received.toString('latin1', 0, 1_000)}`);
      await sleep(1);
    }
  }

  async answer(heads = false): Promise<Message> {
    const [first] = await this.answers(1, heads);
    return first!;
  }

  /** Resolves when the server has closed the connection. */
  async untilClosed(): Promise<void> {
    while (!this.closed) await sleep(1);
  }

  /** Answers that have come whole, without 1xx. */
  final(heads = false): Message[] {
    return readResponses(this.received, heads).messages.filter((message) => statusOf(message) >= 200);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
