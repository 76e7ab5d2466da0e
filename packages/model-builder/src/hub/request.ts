/** How is the hub asked: redirects by hand (the token stays with the hub), a limit on every silence, failures in words? */
import { HubError, PassingFailure } from './hub-error.ts';
import { type Asked, refusalOf } from './refusal.ts';
import type { HubSettings } from './settings.ts';

const MAX_REDIRECTS = 10;
/** No list of files or other description is longer; weights are never read as text. */
const MAX_TEXT_BYTES = 32_000_000;

export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Pieces as they arrive. @throws PassingFailure when it breaks off or falls silent */
  body(): AsyncGenerator<Uint8Array, void>;
  /** Ends a body that is not wanted. */
  discard(): void;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One attempt of a GET.
 * @throws HubError when the hub refuses for good, PassingFailure when another attempt may succeed
 */
export async function ask(
  settings: HubSettings,
  address: string,
  asked: Asked,
  options: RequestOptions = {},
): Promise<HubResponse> {
  const hub = new URL(settings.endpoint).origin;
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const silence = new Silence(settings, url.host, asked, options.signal);
    const fromHub = url.origin === hub;
    const headers: Record<string, string> = {
      ...options.headers,
      'user-agent': 'ragscale',
      // Compressed, a range of the file would be a range of something else.
      'accept-encoding': 'identity',
    };
    if (fromHub && settings.token) headers.authorization = `Bearer ${settings.token.value}`;
    const response = await silence.limit(settings.responseTimeoutMs, 'cannot be reached', () =>
      fetch(url, { headers, redirect: 'manual', signal: silence.signal }),
    );
    const { status } = response;
    const location = response.headers.get('location');
    if (status >= 300 && status < 400 && location !== null) {
      silence.end();
      url = redirected(url, location, asked);
      continue;
    }
    // 416 is for who asked for the range to judge.
    if (!response.ok && status !== 416) {
      silence.end();
      throw refusalOf({ status, headers: response.headers, fromHub }, asked, settings);
    }
    return {
      status,
      headers: response.headers,
      body: () => pieces(response, silence, settings),
      discard: () => silence.end(),
    };
  }
  throw new HubError('protocol', `${describe(asked)}: more than ${MAX_REDIRECTS} redirects, the last to ${url.host}`);
}

/** @throws HubError when it is not JSON; PassingFailure as `ask` */
export async function askJson(
  settings: HubSettings,
  address: string,
  asked: Asked,
  signal?: AbortSignal,
): Promise<{ json: unknown; headers: Headers }> {
  const response = await ask(settings, address, asked, { headers: { accept: 'application/json' }, signal });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body()) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_TEXT_BYTES)
      throw new HubError(
        'protocol',
        `${asked.repository}: ${settings.endpoint} describes it in more than ${MAX_TEXT_BYTES} bytes`,
      );
  }
  try {
    return { json: JSON.parse(Buffer.concat(chunks).toString('utf8')), headers: response.headers };
  } catch (cause) {
    throw new HubError(
      'protocol',
      `${settings.endpoint} does not answer as the hub does: ${new URL(address).pathname} is not JSON`,
      { cause },
    );
  }
}

function redirected(from: URL, location: string, asked: Asked): URL {
  if (!URL.canParse(location, from.href))
    throw new HubError('protocol', `${describe(asked)}: ${from.host} redirects to '${location}'`);
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && to.protocol !== 'http:') {
    throw new HubError('protocol', `${describe(asked)}: ${from.host} redirects to ${to.protocol}//`);
  }
  return to;
}

async function* pieces(response: Response, silence: Silence, settings: HubSettings): AsyncGenerator<Uint8Array, void> {
  const reader = response.body?.getReader();
  try {
    while (reader !== undefined) {
      const { done, value } = await silence.limit(settings.idleTimeoutMs, 'broke off', () => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    silence.end();
  }
}

const describe = ({ repository, file }: Asked) => (file === undefined ? repository : `${repository}: ${file}`);

/** Ends a request that gives nothing for too long, and says which of the possible reasons it was. */
class Silence {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #given: AbortSignal | undefined;
  readonly #host: string;
  readonly #what: string;

  constructor(settings: HubSettings, host: string, asked: Asked, given: AbortSignal | undefined) {
    this.#given = given;
    this.#host = new URL(settings.endpoint).host === host ? settings.endpoint : host;
    this.#what = describe(asked);
    this.signal = given === undefined ? this.#controller.signal : AbortSignal.any([this.#controller.signal, given]);
  }

  /** @param failed what to say of a failure that is not silence */
  async limit<T>(ms: number, failed: string, wait: () => Promise<T>): Promise<T> {
    let silent = false;
    const timer = setTimeout(() => {
      silent = true;
      this.#controller.abort();
    }, ms);
    try {
      return await wait();
    } catch (cause) {
      this.#given?.throwIfAborted();
      const message = silent
        ? `${this.#what}: ${this.#host} gave nothing for ${ms / 1000} s`
        : `${this.#what}: ${this.#host} ${failed} (${reasonOf(cause)})`;
      throw new PassingFailure(new HubError(silent ? 'timeout' : 'unreachable', message, { cause }));
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#controller.abort();
  }
}

/** The innermost reason: fetch wraps what happened twice. */
function reasonOf(error: unknown): string {
  const { cause, code, message } = error as { cause?: unknown; code?: string; message?: string };
  if (cause !== undefined && cause !== null) return reasonOf(cause);
  return code ?? message ?? String(error);
}
