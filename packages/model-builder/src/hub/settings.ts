/** Which hub is asked, with which token, and where is its cache? By the variables that the hub's own library reads. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { HubError } from './hub-error.ts';

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly token?: { readonly value: string /** For messages. */; readonly from: string };
  /** The folder that holds `models--org--name`. */
  readonly cache: string;
  /** Nothing is asked of the hub. */
  readonly offline: boolean;
  /** Until a response begins. */
  readonly responseTimeoutMs: number;
  /** Between two pieces of a body. */
  readonly idleTimeoutMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The same variables, defaults and precedence as `huggingface_hub` (its constants.py and utils/_auth.py).
 * @throws HubError when the endpoint is no address or the token has characters that no header can carry
 */
export function hubSettings(environment: Environment = process.env, home = homedir()): HubSettings {
  const set = (...names: readonly string[]) => names.map((name) => environment[name]).find((value) => value);
  const folder = (given: string) => path.resolve(given.replace(/^~(?=$|[\\/])/, home));
  const hubHome = folder(
    set('HF_HOME') ?? path.join(set('XDG_CACHE_HOME') ?? path.join(home, '.cache'), 'huggingface'),
  );
  const token = readToken(environment, set('HF_TOKEN_PATH') ?? path.join(hubHome, 'token'), folder);
  return {
    endpoint: endpointOf(set('HF_ENDPOINT') ?? 'https://huggingface.co'),
    ...(token && { token }),
    cache: folder(set('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? path.join(hubHome, 'hub')),
    offline: isTrue(set('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE')),
    responseTimeoutMs: seconds(set('HF_HUB_ETAG_TIMEOUT')),
    idleTimeoutMs: seconds(set('HF_HUB_DOWNLOAD_TIMEOUT')),
  };
}

const isTrue = (value: string | undefined) => /^(1|on|yes|true)$/i.test(value ?? '');

function seconds(value: string | undefined): number {
  const given = Number(value);
  return (Number.isFinite(given) && given > 0 ? given : 10) * 1_000;
}

function endpointOf(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw new HubError('unreachable', `HF_ENDPOINT is ${given}: an address with http or https is expected`);
  }
  return given.replace(/\/+$/, '');
}

function readToken(environment: Environment, given: string, folder: (given: string) => string) {
  if (isTrue(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const file = folder(given);
  for (const from of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', file]) {
    const value = (from === file ? contentOf(file) : environment[from])?.trim();
    if (!value) continue;
    if (!/^[\x21-\x7e]+$/.test(value)) {
      throw new HubError('unauthorized', `the token of ${from} is not one: it has spaces or characters beyond ASCII`);
    }
    return { value, from };
  }
  return undefined;
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
