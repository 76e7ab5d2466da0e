/** How an answer leaves piece by piece: server-sent events on a response, never faster than its reader takes them. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Time for the last event of a broken stream to leave, in milliseconds. */
const BREAK_OFF_MS = 1_000;

/**
 * One event. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * @param data JSON, which has no line breaks; @param name absent for `message`, the default
 */
export function renderEvent(data: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/**
 * The body of one response. While the socket's buffer is full, pieces of text are put together into one event that
 * leaves when there is room: a slow reader costs the memory of its own answer, and nobody waits for it.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #renderText: (text: string) => string;
  #opened = false;
  /** Text that waits for room in the socket's buffer. */
  #pending = '';
  /** The event to end with. */
  #last: string | undefined;

  /** @param renderText the event, or events, for a piece of text */
  constructor(response: ServerResponse, renderText: (text: string) => string) {
    this.#response = response;
    this.#renderText = renderText;
  }

  /** Sends the head, and with it the first event. */
  open(headers: OutgoingHttpHeaders, event: string): void {
    const response = this.#response;
    this.#opened = true;
    response.on('drain', () => this.#flush());
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx collects answers unless told so.
      'x-accel-buffering': 'no',
    });
    response.write(event);
  }

  /** Never throws and never waits: it is called from where the engine's messages are read. */
  sendText(text: string): void {
    this.#pending += text;
    if (!this.#response.writableNeedDrain) this.#flush();
  }

  /** Sends what is left and the last event, as soon as there is room. */
  end(event: string): void {
    this.#last = event;
    if (!this.#response.writableNeedDrain) this.#flush();
  }

  /** Ends in the middle: with `event` where the reader keeps up, by closing the connection where it does not. */
  breakOff(event: string): void {
    const response = this.#response;
    if (response.writableEnded || response.writableNeedDrain) {
      response.destroy();
      return;
    }
    this.end(event);
    const timer = setTimeout(() => response.destroy(), BREAK_OFF_MS);
    response.once('close', () => clearTimeout(timer));
  }

  /** Resolves when the last byte has left or the connection is closed. @throws the signal's reason when it aborts before */
  async delivered(signal: AbortSignal): Promise<void> {
    if (this.#response.closed) return;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#response.once('close', () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  get #writable(): boolean {
    return this.#opened && !this.#response.destroyed && !this.#response.writableEnded;
  }

  #flush(): void {
    const response = this.#response;
    if (!this.#writable) return;
    if (this.#pending !== '') {
      const text = this.#pending;
      this.#pending = '';
      response.write(this.#renderText(text));
    }
    // Ended only once there is room: a server that closes takes connections whose response has ended for idle, and cuts them.
    if (this.#last !== undefined && !response.writableNeedDrain) response.end(this.#last);
  }
}
