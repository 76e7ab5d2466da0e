/** HTTP/1.1 read as strictly as RFC 9112 allows: whatever two readers could understand in two ways is an error here. */

export interface Message {
  /** Request line or status line. */
  readonly start: string;
  /** Names as they came, values as latin-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export interface ReadMessages {
  readonly messages: readonly Message[];
  /** What has come of the next. */
  readonly rest: Buffer;
}

export class NotStrictError extends Error {
  override readonly name = 'NotStrictError';
}

/** Values of a header, one for each line. */
export function valuesOf({ headers }: Message, name: string): string[] {
  return headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}

export function statusOf({ start }: Message): number {
  return Number(start.slice(9, 12));
}

/** @throws NotStrictError */
export function readRequests(bytes: Buffer): ReadMessages {
  return read(bytes, /^[A-Z]+ \/[!-~]* HTTP\/1\.1$/, () => false);
}

/**
 * @param heads whether the answers are to HEAD
 * @throws NotStrictError
 */
export function readResponses(bytes: Buffer, heads = false): ReadMessages {
  return read(bytes, /^HTTP\/1\.1 [1-5][0-9]{2} [\t -~]*$/, (status) => heads || /^(1..|204|304)$/.test(status));
}

function read(bytes: Buffer, startLine: RegExp, isBodyless: (status: string) => boolean): ReadMessages {
  const messages: Message[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return { messages, rest: bytes.subarray(at) };
    const [start = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    if (!startLine.test(start)) throw new NotStrictError(`start line ${JSON.stringify(start)}`);
    const headers = lines.map(readHeader);
    const isResponse = start.startsWith('HTTP/');
    const isEmpty = isResponse && isBodyless(start.slice(9, 12));
    const body = isEmpty ? { body: Buffer.alloc(0), next: end + 4 } : readBody(headers, bytes, end + 4, isResponse);
    if (body === undefined) return { messages, rest: bytes.subarray(at) };
    messages.push({ start, headers, body: body.body });
    at = body.next;
  }
}

function readHeader(line: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
  if (match === null) throw new NotStrictError(`header ${JSON.stringify(line)}`);
  return [match[1]!, match[2]!];
}

interface Body {
  readonly body: Buffer;
  readonly next: number;
}

/** @returns undefined while it has not come whole */
function readBody(headers: Message['headers'], bytes: Buffer, at: number, mustBeFramed: boolean): Body | undefined {
  const all = (name: string) => headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  const codings = all('transfer-encoding');
  const lengths = all('content-length');
  if (codings.length + lengths.length > 1) throw new NotStrictError('framed in two ways');
  if (codings.length === 1) {
    if (codings[0] !== 'chunked') throw new NotStrictError(`Transfer-Encoding: ${codings[0]}`);
    return readChunks(bytes, at);
  }
  const [length] = lengths;
  if (length === undefined) {
    if (mustBeFramed) throw new NotStrictError('an answer without a length');
    return { body: Buffer.alloc(0), next: at };
  }
  if (!/^(0|[1-9][0-9]{0,14})$/.test(length)) throw new NotStrictError(`Content-Length: ${length}`);
  const next = at + Number(length);
  return bytes.length < next ? undefined : { body: bytes.subarray(at, next), next };
}

function readChunks(bytes: Buffer, from: number): Body | undefined {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw new NotStrictError(`chunk size ${JSON.stringify(size)}`);
    const start = lineEnd + 2;
    const end = start + Number.parseInt(size, 16);
    if (bytes.length < end + 2) return undefined;
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') throw new NotStrictError('no line end after a chunk');
    at = end + 2;
    if (end === start) return { body: Buffer.concat(parts), next: at };
    parts.push(bytes.subarray(start, end));
  }
}
