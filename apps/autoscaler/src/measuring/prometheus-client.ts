/** How is a query sent to Prometheus? By HTTP, over few kept connections, with an end in every case. */
import { readFile } from 'node:fs/promises';
import { Agent, errors } from 'undici';
import { PrometheusError, readAnswer, type Vector } from './prometheus-answer.ts';

export interface PrometheusClientOptions {
  /** Such as `http://prometheus:9090`, or with a path in front of `/api/v1`. */
  readonly url: string;
  /** Of one query, from when it is sent. */
  readonly timeoutMs: number;
  /** Whose content is sent as bearer token; read for every round, since it may change. */
  readonly tokenFile?: string | undefined;
  /** Certificates in PEM that are trusted in place of the usual ones; read for every round. */
  readonly caFile?: string | undefined;
  /** Queries that are sent at once. */
  readonly concurrency?: number | undefined;
}

/** What came of each query, by its text. */
export type Answers = ReadonlyMap<string, Vector | PrometheusError>;

const CONCURRENCY = 6;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** What fits a header: RFC 9110, 5.5, without blanks. */
const TOKEN = /^[\x21-\x7e]+$/;

export class PrometheusClient {
  readonly #options: PrometheusClientOptions;
  readonly #origin: string;
  readonly #path: string;
  readonly #basicAuth: string | undefined;
  #ca: string | undefined;
  #agent: Agent;

  /** @throws TypeError where the URL is none */
  constructor(options: PrometheusClientOptions) {
    const url = new URL(options.url);
    this.#options = options;
    this.#origin = url.origin;
    this.#path = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
    if (url.username !== '' || url.password !== '') {
      const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      this.#basicAuth = `Basic ${Buffer.from(pair).toString('base64')}`;
    }
    this.#agent = this.#connect();
  }

  /** Never rejects; ends when all are answered, or soon after the signal is aborted. */
  async askAll(queries: Iterable<string>, signal: AbortSignal): Promise<Answers> {
    const answers = new Map<string, Vector | PrometheusError>();
    const left = [...new Set(queries)];
    let headers: Record<string, string>;
    try {
      headers = await this.#prepare();
    } catch (error) {
      const problem = error as PrometheusError;
      return new Map(left.map((query) => [query, problem]));
    }
    const workers = Array.from({ length: this.#options.concurrency ?? CONCURRENCY }, async () => {
      for (let query = left.shift(); query !== undefined; query = left.shift()) {
        answers.set(query, await this.#ask(query, headers, signal));
      }
    });
    await Promise.all(workers);
    return answers;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask(query: string, headers: Record<string, string>, signal: AbortSignal): Promise<Vector | PrometheusError> {
    const { timeoutMs } = this.#options;
    const limit = AbortSignal.timeout(timeoutMs);
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: this.#origin,
        path: this.#path,
        method: 'POST',
        headers,
        body: new URLSearchParams({ query }).toString(),
        signal: AbortSignal.any([signal, limit]),
      });
      // Without a listener an abort between two reads would be an uncaught exception.
      body.on('error', () => undefined);
      return readAnswer(statusCode, await body.text());
    } catch (error) {
      if (error instanceof PrometheusError) return error;
      if (signal.aborted) return new PrometheusError('the round was ended before it answered', { cause: error });
      if (limit.aborted) return new PrometheusError(`no answer within ${timeoutMs} ms`, { cause: error });
      return new PrometheusError(reasonOf(error), { cause: error });
    }
  }

  /** @throws PrometheusError naming the file that cannot be used */
  async #prepare(): Promise<Record<string, string>> {
    const { tokenFile, caFile } = this.#options;
    if (caFile !== undefined) {
      const ca = await contentOf(caFile, 'certificates');
      if (ca !== this.#ca) {
        const before = this.#agent;
        this.#ca = ca;
        this.#agent = this.#connect();
        await before.destroy();
      }
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    if (tokenFile !== undefined) {
      const token = (await contentOf(tokenFile, 'the token')).trim();
      if (!TOKEN.test(token)) throw new PrometheusError(`the file of the token ${tokenFile} holds no token`);
      return { ...headers, authorization: `Bearer ${token}` };
    }
    return this.#basicAuth === undefined ? headers : { ...headers, authorization: this.#basicAuth };
  }

  #connect(): Agent {
    return new Agent({
      allowH2: false,
      pipelining: 1,
      connections: this.#options.concurrency ?? CONCURRENCY,
      maxResponseSize: MAX_ANSWER_BYTES,
      connect: { timeout: this.#options.timeoutMs, ...(this.#ca === undefined ? {} : { ca: this.#ca }) },
    });
  }
}

async function contentOf(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new PrometheusError(`the file of ${what} ${path} cannot be read (${code})`, { cause });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.ResponseExceededMaxSizeError) {
    return `its answer is larger than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`;
  }
  // Of several addresses that were tried each has its own error, and all together no message.
  const each = error instanceof AggregateError ? error.errors : [error];
  const words = each.map((one) => (one instanceof Error ? one.message : String(one)));
  return `it cannot be reached: ${[...new Set(words)].join(', ')}`;
}
