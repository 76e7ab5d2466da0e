/** Server-sent events on their way through: only whole ones go on, and the first token is noticed. Pure. */

/** More of one event than this goes on unfinished rather than to be kept. */
const MAX_HELD_BYTES = 65_536;

/** The first piece of an answer's text: of `/rag`, or of OpenAI's chat API, whose first chunk has an empty one. */
const FIRST_TOKEN = /^event: token$|"content":"(?!")/m;

/** The pod's own word that the answer is not whole: `/rag` names the event, OpenAI's stream has an object with `error`. */
const ERROR_EVENT = /^event: error$|^data: ?\{"error":/m;

const EMPTY = Buffer.alloc(0);

export class EventTail {
  #held: Buffer = EMPTY;
  #isTorn = false;
  #sawToken = false;
  #sawError = false;

  /**
   * A reader that is cut off in the middle of an event must not take the error that follows for its end.
   * @returns the bytes up to the end of the last whole event, perhaps none
   */
  push(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const end = endOfLastEvent(bytes);
    if (end === 0 && bytes.length <= MAX_HELD_BYTES) {
      this.#held = bytes;
      return EMPTY;
    }
    this.#isTorn = end === 0;
    const whole = end === 0 ? bytes : bytes.subarray(0, end);
    this.#held = end === 0 || end === bytes.length ? EMPTY : bytes.subarray(end);
    this.#look(whole);
    return whole;
  }

  /** What is left at the end of the stream. */
  rest(): Buffer {
    const rest = this.#held;
    this.#held = EMPTY;
    this.#look(rest);
    return rest;
  }

  /** Whether what has gone on ends in the middle of an event, which was too long to be held. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  get sawToken(): boolean {
    return this.#sawToken;
  }

  /** Whether the pod itself has ended the stream with an error. */
  get sawError(): boolean {
    return this.#sawError;
  }

  #look(events: Buffer): void {
    // Token events are small and many; text is quoted JSON in them, so neither pattern can stand in it at the beginning of a line.
    const text = events.toString('latin1');
    if (!this.#sawToken) this.#sawToken = FIRST_TOKEN.test(text);
    this.#sawError ||= text.includes('error') && ERROR_EVENT.test(text);
  }
}

/** Position after the last blank line. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
function endOfLastEvent(bytes: Buffer): number {
  const plain = bytes.lastIndexOf('\n\n');
  const windows = bytes.lastIndexOf('\r\n\r\n');
  return Math.max(plain < 0 ? 0 : plain + 2, windows < 0 ? 0 : windows + 4);
}
