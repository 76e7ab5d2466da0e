/** One request to a server elsewhere: its head, then its chunks, each in its time; every way of going wrong is a GeneratorFailure. */
import { Agent, type Dispatcher, errors } from 'undici';
import { type Chunk, readChunk } from './completion-api.ts';
import { EventParser, EventStreamError } from './event-parser.ts';
import { type FailureKind, GeneratorFailure } from './failures.ts';

export interface ServerOptions {
  readonly baseUrl: string;
  /** Never logged. */
  readonly apiKey: string | undefined;
  readonly connectTimeoutMs: number;
  /** From the request to the first text of the answer. */
  readonly firstTokenTimeoutMs: number;
  /** Between two chunks after it. */
  readonly nextTokenTimeoutMs: number;
}

/** Of a body that says why something was refused, or lists models. */
const MAX_BODY_BYTES = 1 << 20;
const MAX_REASON_LENGTH = 300;
/** What comes after the last event of a stream. */
const DONE = '[DONE]';

/** How servers say that a prompt is too long: a code (OpenAI, ragscale), a type (llama.cpp), a sentence (vLLM, TGI). */
const TOO_LONG =
  /context_length_exceeded|exceed_context_size|maximum context length|context (length|size|window)|must have less than|max_total_tokens/i;

export class Server {
  readonly #options: ServerOptions;
  readonly #agent: Agent;

  constructor(options: ServerOptions) {
    this.#options = options;
    // The limits of time are our own: undici's count what happens between bytes.
    this.#agent = new Agent({ connect: { timeout: options.connectTimeoutMs }, headersTimeout: 0, bodyTimeout: 0 });
  }

  /** What it answers as JSON. @throws GeneratorFailure, and the signal's reason */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    using limit = new TimeLimit(signal);
    limit.set(this.#options.firstTokenTimeoutMs);
    return limit.guard(async () => {
      const response = await this.#request(path, { method: 'GET' }, limit.signal);
      const body = await readBody(response.body);
      if (response.statusCode !== 200) throw failureOf(response, body);
      return parse(body);
    });
  }

  /**
   * The chunks of an answer; leaving the loop, or the signal, closes the connection, which tells the server to stop.
   * @throws GeneratorFailure, and the signal's reason
   */
  async *stream(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<Chunk> {
    using limit = new TimeLimit(signal);
    const { firstTokenTimeoutMs, nextTokenTimeoutMs } = this.#options;
    limit.set(firstTokenTimeoutMs);
    const response = await limit.guard(() => this.#open(path, body, limit.signal));
    const parser = new EventParser();
    let hasBegun = false;
    const parts = response.body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await limit.guard(() => parts.next());
        if (done) return;
        for (const data of eventsOf(parser, value)) {
          if (data === DONE) return;
          const chunk = chunkOf(data);
          if (chunk.error !== undefined) throw new GeneratorFailure('failing', chunk.error);
          hasBegun ||= chunk.text !== '' || chunk.isReasoning;
          yield chunk;
          if (hasBegun) limit.set(nextTokenTimeoutMs);
        }
      }
    } finally {
      response.body.on('error', () => undefined).destroy();
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #open(path: string, body: unknown, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const request = { method: 'POST', body: JSON.stringify(body) } as const;
    const response = await this.#request(path, request, signal);
    if (response.statusCode !== 200) throw failureOf(response, await readBody(response.body));
    const type = String(response.headers['content-type'] ?? 'nothing');
    if (/^text\/event-stream\b/i.test(type)) return response;
    response.body.on('error', () => undefined).destroy();
    throw new GeneratorFailure(
      'garbled',
      `it answers with ${type.slice(0, 80)} where a stream of events was asked for`,
    );
  }

  #request(
    path: string,
    { method, body }: { readonly method: 'GET' | 'POST'; readonly body?: string },
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { apiKey, baseUrl } = this.#options;
    const { origin, pathname } = new URL(`${baseUrl}${path}`);
    const headers = {
      accept: method === 'GET' ? 'application/json' : 'text/event-stream',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    return this.#agent.request({ origin, path: pathname, method, headers, body: body ?? null, signal });
  }
}

/** A signal that aborts with the caller's, or when a step takes too long. */
class TimeLimit {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(this.#caller.reason);
  #timer: NodeJS.Timeout | undefined;

  constructor(caller: AbortSignal) {
    this.#caller = caller;
    caller.addEventListener('abort', this.#onAbort, { once: true });
    if (caller.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now; in place of what was set before. */
  set(ms: number): void {
    clearTimeout(this.#timer);
    const silent = new GeneratorFailure('silent', `nothing came within ${ms} ms`);
    this.#timer = setTimeout(() => this.#controller.abort(silent), ms);
  }

  /** Errors of the connection in our words; what aborted says more than that it was aborted. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.signal.throwIfAborted();
      return await work();
    } catch (error) {
      if (this.signal.aborted) throw this.signal.reason;
      throw error instanceof GeneratorFailure ? error : new GeneratorFailure(...ofConnection(error as Error));
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#caller.removeEventListener('abort', this.#onAbort);
  }
}

const NO_CONNECTION = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

function ofConnection(error: Error): [FailureKind, string, ErrorOptions] {
  const code = 'code' in error ? String(error.code) : '';
  const words = error.message === '' ? code : error.message;
  const isUnreachable = error instanceof errors.ConnectTimeoutError || NO_CONNECTION.has(code);
  return [isUnreachable ? 'unreachable' : 'broken', words, { cause: error }];
}

function failureOf({ statusCode, headers }: Dispatcher.ResponseData, body: string): GeneratorFailure {
  const reason = `${statusCode}${body === '' ? '' : `: ${body.slice(0, MAX_REASON_LENGTH)}`}`;
  const retryAfterMs = millisecondsOf(headers['retry-after']);
  if (statusCode === 429) return new GeneratorFailure('busy', reason, { retryAfterMs });
  if (statusCode >= 500) return new GeneratorFailure('failing', reason, { retryAfterMs });
  return new GeneratorFailure(TOO_LONG.test(body) ? 'too-long' : 'refused', reason);
}

/** RFC 9110 10.2.3: seconds, or a date. */
function millisecondsOf(retryAfter: string | string[] | undefined): number | undefined {
  if (typeof retryAfter !== 'string') return undefined;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

async function readBody(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new GeneratorFailure('garbled', `a body has more than ${MAX_BODY_BYTES} bytes`);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new GeneratorFailure('garbled', 'a body is not JSON', { cause });
  }
}

function eventsOf(parser: EventParser, bytes: Uint8Array): string[] {
  try {
    return parser.push(bytes);
  } catch (cause) {
    if (!(cause instanceof EventStreamError)) throw cause;
    throw new GeneratorFailure('garbled', cause.message, { cause });
  }
}

function chunkOf(data: string): Chunk {
  try {
    return readChunk(data);
  } catch (cause) {
    throw new GeneratorFailure('garbled', `an event is not a chunk of an answer: ${data.slice(0, 80)}`, { cause });
  }
}
