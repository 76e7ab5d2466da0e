/** How an answer gets from a pod to the client: at once where it is small, piece by piece where it is not, never faster than it is read. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ServiceError } from '@ragscale/service/error-catalogue';
import type { Attempt } from './attempt.ts';
import { EventTail } from './event-tail.ts';

/** An answer up to here is sent when it is whole: until then another pod can give it. */
const COLLECTED_BYTES = 65_536;

/** Time for the last event of a broken stream to leave, in milliseconds. */
const BREAK_OFF_MS = 1_000;

export interface AnswerHead {
  readonly status: number;
  /** As the client gets them. */
  readonly headers: OutgoingHttpHeaders;
}

export class Delivery {
  readonly attempt: Attempt;
  readonly status: number;
  bytes = 0;
  /** When the first token of a stream left, on the clock of `performance.now()`. */
  firstTokenAt: number | undefined;
  readonly #response: ServerResponse;
  readonly #headers: OutgoingHttpHeaders;
  /** Of a small answer, what has come of it. */
  readonly #collected: Buffer[] | undefined;
  readonly #events: EventTail | undefined;
  #begun = false;

  /** @param received the head as the pod sent it; @param isHead whether the answer has no body whatever its head says */
  constructor(
    response: ServerResponse,
    attempt: Attempt,
    head: AnswerHead,
    received: IncomingHttpHeaders,
    isHead: boolean,
  ) {
    this.#response = response;
    this.attempt = attempt;
    this.status = head.status;
    this.#headers = head.headers;
    if (isEventStream(received)) {
      this.#events = new EventTail();
      // It may end otherwise than the pod meant.
      if (!isHead) delete this.#headers['content-length'];
    } else if (isHead || Number(received['content-length']) <= COLLECTED_BYTES) this.#collected = [];
  }

  /** Whether the client has got something: then no other pod can answer. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the pod itself has ended its stream with an error. */
  get sawError(): boolean {
    return this.#events?.sawError === true;
  }

  data(chunk: Buffer): void {
    if (this.#collected !== undefined) {
      this.#collected.push(chunk);
      return;
    }
    const part = this.#events === undefined ? chunk : this.#events.push(chunk);
    if (this.#events?.sawToken === true) this.firstTokenAt ??= performance.now();
    if (part.length > 0) this.#write(part);
  }

  /** The answer has come whole. */
  end(): void {
    const response = this.#response;
    if (this.#collected !== undefined) {
      const body = this.#collected.length === 1 ? this.#collected[0]! : Buffer.concat(this.#collected);
      this.#open();
      this.bytes = body.length;
      // As a string of its bytes it leaves in one write with the head; a buffer would take another.
      response.end(body.toString('latin1'), 'latin1');
      return;
    }
    const rest = this.#events?.rest();
    this.#open();
    if (rest !== undefined && rest.length > 0) this.#write(rest);
    response.end();
  }

  /**
   * Ends in the middle: a stream of events with an event that says why, where the reader keeps up; everything else by closing the
   * connection, since nothing else tells that it is not whole.
   */
  breakOff(error: ServiceError): void {
    const response = this.#response;
    if (this.#events === undefined || this.#events.isTorn || response.writableEnded || response.writableNeedDrain) {
      response.destroy();
      return;
    }
    response.end(renderErrorEvent(error, this.#isRag));
    const timer = setTimeout(() => response.destroy(), BREAK_OFF_MS);
    response.once('close', () => clearTimeout(timer));
  }

  /** `/rag` names its events; OpenAI's streams do not. */
  get #isRag(): boolean {
    return this.#response.req.url?.startsWith('/v1/') !== true;
  }

  #open(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#response.writeHead(this.status, this.#headers);
  }

  #write(part: Buffer): void {
    this.#open();
    this.bytes += part.length;
    if (this.#response.write(part)) return;
    this.attempt.pause();
    this.#response.once('drain', () => this.attempt.resume());
  }
}

function isEventStream({ 'content-type': type, 'content-encoding': coding }: IncomingHttpHeaders): boolean {
  // What stands there twice is an array, whatever the types say.
  return coding === undefined && String(type).startsWith('text/event-stream');
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
function renderErrorEvent(error: ServiceError, named: boolean): string {
  return `${named ? 'event: error\n' : ''}data: ${JSON.stringify(error.toBody())}\n\n`;
}
