/** What does a response that is no success mean, in words? By the hub's `X-Error-Code` where it says one. */
import { HubError, PassingFailure } from './hub-error.ts';
import type { HubSettings } from './settings.ts';

export interface Asked {
  readonly repository: string;
  readonly revision: string;
  /** Of the repository, when one was asked for. */
  readonly file?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Whether it came from the hub itself, and not from where the hub sends for the bytes. */
  readonly fromHub: boolean;
}

/** @returns HubError for what will stay, PassingFailure for what may pass */
export function refusalOf(answer: Answer, asked: Asked, settings: HubSettings): HubError | PassingFailure {
  const { status, headers } = answer;
  const { repository, revision, file } = asked;
  const { endpoint, token } = settings;
  const code = headers.get('x-error-code');
  const said = headers.get('x-error-message');
  const what = file === undefined ? repository : `${repository}: ${file}`;
  const withWords = `${status}${said ? `, ${said}` : ''}`;
  if (status === 429) {
    const retryAfterMs = retryAfter(headers);
    const later = retryAfterMs === undefined ? '' : `; it asks to wait ${Math.ceil(retryAfterMs / 1000)} s`;
    return new PassingFailure(
      new HubError('rate-limited', `${what}: ${endpoint} has had too many requests${later}`),
      retryAfterMs,
    );
  }
  if (status === 408 || status >= 500) {
    return new PassingFailure(new HubError('server', `${what}: ${endpoint} fails (${withWords})`), retryAfter(headers));
  }
  if (!answer.fromHub) {
    const error = new HubError('server', `${what}: the server that ${endpoint} names for it refuses (${withWords})`);
    // The address is signed for a while only: the hub gives a new one.
    return status === 403 || status === 401 || status === 400 ? new PassingFailure(error) : error;
  }
  if (code === 'GatedRepo') {
    const how = token
      ? `with the account of the token in ${token.from}`
      : 'and set HF_TOKEN to a token of the account that did';
    return new HubError('gated', `${repository} is gated: accept its terms at ${endpoint}/${repository} ${how}`);
  }
  if (code === 'RevisionNotFound') return new HubError('not-found', `${repository} has no revision ${revision}`);
  if (code === 'EntryNotFound') return new HubError('not-found', `${what} is not in revision ${revision}`);
  if (status === 401 && token) {
    return new HubError('unauthorized', `${endpoint} does not accept the token of ${token.from} (${withWords})`);
  }
  // Without a token the hub answers 401 for what is private and for what is not there.
  if (status === 401 || status === 404) {
    const or = token
      ? `or the token of ${token.from} may not see it`
      : 'or it is private and wants a token in HF_TOKEN';
    return new HubError('not-found', `${what} is not at ${endpoint}, ${or}`);
  }
  if (status === 403) return new HubError('forbidden', `${what}: ${endpoint} does not allow it (${withWords})`);
  return new HubError('protocol', `${what}: ${endpoint} answered ${withWords}`);
}

/** Seconds or a date (RFC 9110, 10.2.3); the hub itself says `RateLimit: ...;t=seconds` as well. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after') ?? /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
