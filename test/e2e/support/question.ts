/** What does the system answer? One question over HTTP, as a client would ask it. */
import { waitFor } from './wait-for.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a JSON body; empty otherwise. */
  readonly result: string;
  readonly sources: readonly { readonly id: string; readonly score: number; readonly text: string }[];
}

export const HOVER = 'Which animals can hover in the air?';

/** @param url of the proxy, without a path @throws Error when nobody answers */
export async function question(
  url: string,
  query = HOVER,
  { headers = {}, ...settings }: { headers?: Record<string, string>; stream?: boolean } = {},
): Promise<Answer> {
  const response = await fetch(`${url}/rag`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, ...settings }),
    signal: AbortSignal.timeout(90_000),
  });
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : {};
  return {
    status: response.status,
    headers: response.headers,
    text,
    result: json.result ?? '',
    sources: json.sources ?? [],
  };
}

/** Asks again until the answer is like this: for a change that has to arrive first. */
export async function questionUntil(url: string, query: string, like: RegExp, namespace: string): Promise<Answer> {
  let last: Answer | undefined;
  const asked = async () => {
    last = await question(url, query);
    return like.test(last.result) && last;
  };
  return waitFor(`the answer to "${query}" is like ${like}`, asked, { namespace }).catch((error: Error) => {
    throw new Error(`the last answer was ${last?.text}\n${error.message}`);
  });
}
