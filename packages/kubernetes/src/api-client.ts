/** How is the API server asked for one thing? A request and its answer, over connections that are kept. */
import type { KubeConfig } from '@kubernetes/client-node';
import { type Clock, realClock } from '@ragscale/service/clock';
import { request } from 'undici';
import { z } from 'zod';
import { textOf } from './answer-text.ts';
import { urlOf } from './credentials.ts';
import { refusalIn } from './kubernetes-error.ts';
import { type Session, Sessions } from './sessions.ts';
import { Turns } from './turns.ts';
import { unlessAborted } from './unless-aborted.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestOptions<T> {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Of a PATCH: merge patch unless given. */
  readonly contentType?: string;
  /** Of the answer. */
  readonly schema: z.ZodType<T>;
  readonly signal?: AbortSignal;
}

export interface KubernetesClientOptions {
  /** For a request and its answer together, from when it is its turn; 10 000 unless given. */
  readonly timeoutMs?: number;
  /** Requests at once; further ones wait for their turn. 16 unless given. */
  readonly atOnce?: number;
  readonly clock?: Clock;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 10_000;
const AT_ONCE = 16;
/** A list of the pods of a large namespace is some 10 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** The Date header counts whole seconds, cut off. */
const HALF_A_SECOND_MS = 500;

export class KubernetesClient {
  readonly #config: KubeConfig;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #sessions: Sessions;
  readonly #closing = new AbortController();
  /** The server's clock less ours. */
  #aheadMs: number | undefined;

  constructor(config: KubeConfig, options: KubernetesClientOptions = {}) {
    this.#config = config;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#clock = options.clock ?? realClock;
    this.#turns = new Turns(options.atOnce ?? AT_ONCE);
    this.#sessions = new Sessions(config, this.#clock);
  }

  /**
   * @param path such as `/apis/apps/v1/namespaces/rag/deployments/pods`
   * @throws KubernetesError on a refusal; Error in words when the server cannot be reached, does not answer in time or answers something
   *   else; the signal's reason when it is aborted
   */
  async request<T>(method: Method, path: string, options: RequestOptions<T>): Promise<T> {
    const given = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
    const { status, text } = await this.#turns.run(() => this.#ask(method, path, options, given), given);
    if (status < 200 || status > 299) throw refusalIn(text, status);
    return read(text, options.schema, `${method} ${path}`);
  }

  /** The server's clock, milliseconds since the epoch, to a second or so; undefined before the first answer. */
  serverNow(): number | undefined {
    return this.#aheadMs === undefined ? undefined : this.#clock.now() + this.#aheadMs;
  }

  /** What is under way is rejected. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the connection to the API server was closed'));
    await this.#sessions.close();
  }

  async #ask(method: Method, path: string, options: RequestOptions<unknown>, given: AbortSignal): Promise<Answer> {
    const late = AbortSignal.timeout(this.#timeoutMs);
    const signal = AbortSignal.any([given, late]);
    let session: Session | undefined;
    try {
      session = await unlessAborted(this.#sessions.open(), signal);
      const answer = await unlessAborted(this.#send(method, path, options, session, signal), signal);
      if (answer.status === 401) this.#sessions.retire(session);
      return answer;
    } catch (error) {
      given.throwIfAborted();
      // Other connections to the same server may be as dead, unnoticed.
      if (session) this.#sessions.retire(session);
      const asked = `${method} ${urlOf(this.#config, path).href}`;
      if (late.aborted) throw new Error(`the API server did not answer within ${this.#timeoutMs} ms: ${asked}`);
      throw new Error(`the API server cannot be asked: ${asked}: ${wordsOf(error)}`, { cause: error });
    }
  }

  async #send(
    method: Method,
    path: string,
    { query = {}, body, contentType }: RequestOptions<unknown>,
    { headers, dispatcher }: Session,
    signal: AbortSignal,
  ): Promise<Answer> {
    const url = urlOf(this.#config, path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const type = contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    const answer = await request(url, {
      method,
      headers: { ...headers, accept: 'application/json', ...(body && { 'content-type': type }) },
      ...(body && { body: JSON.stringify(body) }),
      signal,
      dispatcher,
    });
    // Without a listener an abort between two reads would be an uncaught exception.
    answer.body.on('error', () => undefined);
    this.#noteTime(answer.headers.date);
    return { status: answer.statusCode, text: await textOf(answer.body, MAX_ANSWER_BYTES) };
  }

  #noteTime(date: string | string[] | undefined): void {
    const at = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    if (!Number.isNaN(at)) this.#aheadMs = at + HALF_A_SECOND_MS - this.#clock.now();
  }
}

function read<T>(text: string, schema: z.ZodType<T>, asked: string): T {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch (cause) {
    throw new Error(`the API server answered ${asked} with something that is not JSON`, { cause });
  }
  const result = schema.safeParse(object);
  if (result.success) return result.data;
  throw new Error(`the API server answered ${asked} with something else: ${z.prettifyError(result.error)}`);
}

/** An error of several addresses has no message of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(wordsOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}
