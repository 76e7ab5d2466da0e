/** Bytes of a stream of server-sent events in, the data of whole events out: strict about UTF-8, bounded in size. */

/** Of one event's data, in UTF-16 code units. A chunk of an answer has some hundred. */
const MAX_EVENT_LENGTH = 1 << 20;

export class EventStreamError extends Error {
  override readonly name = 'EventStreamError';
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation; ids and retry times are of no use here. */
export class EventParser {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Of the line that is not whole yet, in parts: joined once, so that a long line costs its length. */
  #line: string[] = [];
  #lineLength = 0;
  /** The last character was a CR: an LF after it belongs to the same line end. */
  #afterCr = false;
  #data: string[] = [];
  #dataLength = 0;

  /** @returns the data of each event that these bytes complete @throws EventStreamError */
  push(bytes: Uint8Array): string[] {
    const events: string[] = [];
    let rest = this.#decode(bytes);
    while (rest !== '') {
      if (this.#afterCr && rest.startsWith('\n')) rest = rest.slice(1);
      this.#afterCr = false;
      const end = rest.search(/[\r\n]/);
      if (end < 0) {
        if (rest !== '') this.#keep(rest);
        break;
      }
      this.#keep(rest.slice(0, end));
      this.#afterCr = rest[end] === '\r';
      rest = rest.slice(end + 1);
      const event = this.#endLine();
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch (cause) {
      throw new EventStreamError('the stream is not UTF-8', { cause });
    }
  }

  #keep(part: string): void {
    this.#lineLength += part.length;
    if (this.#lineLength + this.#dataLength > MAX_EVENT_LENGTH)
      throw new EventStreamError(`an event of the stream is longer than ${MAX_EVENT_LENGTH} characters`);
    this.#line.push(part);
  }

  #endLine(): string | undefined {
    const line = this.#line.join('');
    this.#line = [];
    this.#lineLength = 0;
    if (line === '') return this.#endEvent();
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/su.exec(line) ?? [];
    if (field === 'data') {
      this.#data.push(value);
      this.#dataLength += value.length + 1;
    }
    return undefined;
  }

  #endEvent(): string | undefined {
    if (this.#data.length === 0) return undefined;
    const data = this.#data.join('\n');
    this.#data = [];
    this.#dataLength = 0;
    return data;
  }
}
