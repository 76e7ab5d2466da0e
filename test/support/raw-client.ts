/** A client on a bare socket: what leaves the server, byte for byte, and when. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ServerSentEvent {
  readonly name: string;
  readonly data: string;
}

export class RawClient implements Disposable {
  readonly socket: Socket;
  closed = false;
  readonly #parts: string[] = [];

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('utf8');
    this.socket.on('data', (part: string) => this.#parts.push(part));
    this.socket.on('error', () => {});
    this.socket.once('close', () => {
      this.closed = true;
    });
  }

  /** Everything that came since the last `forget`. */
  get received(): string {
    const all = this.#parts.join('');
    this.#parts.splice(0, Number.POSITIVE_INFINITY, all);
    return all;
  }

  forget(): void {
    this.#parts.length = 0;
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    const bytes = JSON.stringify(body);
    const lines = Object.entries({
      host: 'localhost',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(bytes)),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${bytes}`);
  }

  get(path: string): void {
    this.socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  }

  /** Resolves when what came matches. */
  until(pattern: RegExp): Promise<void> {
    return this.#until(() => pattern.test(this.received));
  }

  /** Resolves when a chunked body has come to its end. */
  untilEnd(): Promise<void> {
    // Looking at all of a long answer with each part of it would take longer than the answer.
    return this.#until(() => this.#parts.slice(-8).join('').endsWith('\r\n0\r\n\r\n'));
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed) throw new Error(`closed after ${this.received.slice(0, 1_000)}`);
      await sleep(2);
    }
  }

  /** Head of the last response, its names in lower case. */
  get head(): string {
    return this.received.slice(this.received.lastIndexOf('HTTP/1.1 ')).split('\r\n\r\n', 1)[0] ?? '';
  }

  /** Events of the last response, as far as they came. */
  get events(): ServerSentEvent[] {
    const body = this.received.slice(this.received.lastIndexOf('HTTP/1.1 ') + this.head.length + 4);
    return eventsOf(withoutChunks(body));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Every whole event of a body. */
export function eventsOf(body: string): ServerSentEvent[] {
  return body
    .split('\n\n')
    .slice(0, -1)
    .map((block) => {
      const lines = block.split('\n').map((line) => /^(event|data): (.*)$/s.exec(line) ?? [line, 'bad', line]);
      const field = (wanted: string) => lines.find(([, name]) => name === wanted)?.[2];
      if (lines.some(([, name]) => name === 'bad')) throw new Error(`not an event: ${block}`);
      return { name: field('event') ?? 'message', data: field('data') ?? '' };
    });
}

/** RFC 9112, 7.1; lengths are in bytes. */
function withoutChunks(body: string): string {
  const bytes = Buffer.from(body);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const length = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
  return Buffer.concat(parts).toString();
}
