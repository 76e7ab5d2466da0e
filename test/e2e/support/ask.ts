/** How did one request end? Asked over HTTP as a client would, and judged by what the contract allows. */
import { type Dispatcher, request } from 'undici';

export interface Question {
  readonly query: string;
  readonly max_tokens: number;
  readonly stream: boolean;
}

export interface Reply {
  /**
   * `answered`: all of it came. `refused`: not now, and why, as the errors of the contract say it. `broken`: a stream that began and ended with
   * its event `error`. `failed`: anything else, such as a connection that was cut, half an answer, a fault of a server.
   */
  readonly outcome: 'answered' | 'refused' | 'broken' | 'failed';
  /** 0: none came. */
  readonly status: number;
  /** The code of an error, or in words what was wrong; empty when it was answered. */
  readonly reason: string;
  /** Under which the server's logs have it. */
  readonly requestId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As much of it as came. */
  readonly body: string;
}

export interface Asked {
  /** Without a path. */
  readonly url: string;
  readonly dispatcher: Dispatcher;
  readonly headers?: Readonly<Record<string, string>>;
}

/** With these a server says that it could not take the request; every other error is a fault of somebody. */
const REFUSALS = new Set([429, 503, 504]);

/** Never rejects. */
export async function ask({ url, dispatcher, headers = {} }: Asked, question: Question): Promise<Reply> {
  const seen = { status: 0, headers: {} as Record<string, string>, body: '' };
  try {
    const response = await request(`${url}/rag`, {
      method: 'POST',
      dispatcher,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
    seen.status = response.statusCode;
    seen.headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, `${value}`]));
    response.body.setEncoding('utf8');
    for await (const part of response.body) seen.body += part;
    return { ...judge(response.statusCode, question.stream, seen.body), ...withId(seen) };
  } catch (error) {
    return { outcome: 'failed', reason: inWords(error), ...withId(seen) };
  }
}

function withId<T extends { readonly headers: Readonly<Record<string, string>> }>(seen: T): T & { requestId: string } {
  return { ...seen, requestId: seen.headers['x-request-id'] ?? '' };
}

/** @param body all of it, that came without an error of the connection */
export function judge(status: number, streamed: boolean, body: string): Pick<Reply, 'outcome' | 'reason'> {
  if (status !== 200) {
    const code = codeOf(body);
    if (code === undefined) return { outcome: 'failed', reason: `${status} without a reason` };
    return { outcome: REFUSALS.has(status) ? 'refused' : 'failed', reason: code };
  }
  if (streamed) return judgeStream(body);
  const { result } = parsed(body);
  return typeof result === 'string'
    ? { outcome: 'answered', reason: '' }
    : { outcome: 'failed', reason: `no answer in ${body.slice(0, 100)}` };
}

function judgeStream(body: string): Pick<Reply, 'outcome' | 'reason'> {
  const events = body.split('\n\n');
  // What follows the last blank line is a piece of an event.
  if (events.pop() !== '') return { outcome: 'failed', reason: 'a stream that ends within an event' };
  const last = events.at(-1) ?? '';
  if (last.startsWith('event: done\n')) return { outcome: 'answered', reason: '' };
  const [, error] = /^event: error\ndata: (.*)$/s.exec(last) ?? [];
  const code = error === undefined ? undefined : codeOf(error);
  if (code !== undefined) return { outcome: 'broken', reason: code };
  return { outcome: 'failed', reason: 'a stream without an end' };
}

function codeOf(body: string): string | undefined {
  const { error } = parsed(body) as { error?: { code?: unknown } };
  return typeof error?.code === 'string' ? error.code : undefined;
}

function parsed(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}

function inWords(error: unknown): string {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown };
  const because = cause instanceof Error ? ` (${cause.message})` : '';
  return `${code ?? 'no answer'}: ${message ?? String(error)}${because}`;
}
