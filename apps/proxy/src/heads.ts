/** What of a message's head goes on, and what is added: RFC 9110, 7.6. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { DEADLINE_HEADER } from '@ragscale/service/deadline';
import { SLOTS_HEADER, VARIANT_HEADER } from '@ragscale/service/ragscale-headers';

/** Between two neighbours only (RFC 9110, 7.6.1), or written anew by whoever sends. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Of a request, what the proxy says itself. `expect` was answered already. */
const OWN_OF_REQUESTS = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'expect',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'http2-settings',
  DEADLINE_HEADER,
  VARIANT_HEADER,
  'traceparent',
  'tracestate',
]);

const OWN_OF_RESPONSES = new Set([...HOP_BY_HOP, SLOTS_HEADER, 'server-timing', 'x-request-id']);

/** `-For`, `-Host` and `-Proto` are the proxy's own; of the others (`-Port`, `-Prefix`) only those in front of it know. */
const FORWARDED = 'x-forwarded-';
const OWN_OF_FORWARDED = new Set([`${FORWARDED}for`, `${FORWARDED}host`, `${FORWARDED}proto`]);

/** Lower-case names: a client's `X-Request-Id` and ours are the same to every look-up here. */
const LOWER_CASE = new Map<string, string>();
/** Names that are remembered; clients choose them, so there must be an end to it. */
const MAX_NAMES = 1_000;

function lowerCase(name: string): string {
  const known = LOWER_CASE.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (LOWER_CASE.size < MAX_NAMES) LOWER_CASE.set(name, lower);
  return lower;
}

export interface RequestAdditions {
  readonly requestId: string;
  /** Milliseconds that are left until the deadline. */
  readonly remainingMs: number;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** Proxies in front of this one whose X-Forwarded-* are believed; with 0 it begins anew. */
  readonly trustedHops: number;
  /** Whether `Authorization` was for the proxy, and is no business of the pods. */
  readonly keepsAuthorization: boolean;
}

/** The head that a pod gets: names and values in turn. Its framing is left to whoever sends the body. */
export function requestHeaders(request: IncomingMessage, additions: RequestAdditions): string[] {
  const { rawHeaders, headers } = request;
  const named = headers.connection === undefined ? undefined : connectionOptions(headers.connection);
  const out: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = lowerCase(rawHeaders[at]!);
    if (OWN_OF_REQUESTS.has(name) || named?.has(name)) continue;
    if (name === 'authorization' && additions.keepsAuthorization) continue;
    if (name.startsWith(FORWARDED) && (additions.trustedHops === 0 || OWN_OF_FORWARDED.has(name))) continue;
    out.push(name, rawHeaders[at + 1]!);
  }
  out.push('via', '1.1 ragscale', 'x-request-id', additions.requestId);
  out.push(DEADLINE_HEADER, String(Math.max(1, Math.ceil(additions.remainingMs))));
  pushForwarded(out, request, additions.trustedHops);
  const traceparent = additions.traceparent ?? single(headers.traceparent);
  const tracestate = additions.traceparent === undefined ? single(headers.tracestate) : additions.tracestate;
  if (traceparent !== undefined) out.push('traceparent', traceparent);
  if (traceparent !== undefined && tracestate !== undefined) out.push('tracestate', tracestate);
  return out;
}

function pushForwarded(out: string[], { headers, socket }: IncomingMessage, trustedHops: number): void {
  const peer = socket.remoteAddress ?? 'unknown';
  const trusted = trustedHops > 0;
  const before = trusted ? single(headers['x-forwarded-for']) : undefined;
  out.push('x-forwarded-for', before === undefined ? peer : `${lastOf(before, trustedHops)}, ${peer}`);
  const host = (trusted ? single(headers['x-forwarded-host']) : undefined) ?? headers.host;
  if (host !== undefined) out.push('x-forwarded-host', host);
  out.push('x-forwarded-proto', trusted && headers['x-forwarded-proto'] === 'https' ? 'https' : 'http');
}

/** Of a list to which each proxy has added whom it saw, what those added that are trusted; before it stands what the client said. */
function lastOf(list: string, count: number): string {
  const entries = list.split(',');
  return entries.length <= count ? list : entries.slice(-count).join(',').trim();
}

export interface ResponseAdditions {
  readonly requestId: string;
  readonly route: string;
  /** Entries of Server-Timing that the proxy adds. */
  readonly timing: string;
  /** The connection is to end after this answer. */
  readonly closes: boolean;
}

/** The head that the client gets. */
export function responseHeaders(headers: IncomingHttpHeaders, additions: ResponseAdditions): OutgoingHttpHeaders {
  const named = headers.connection === undefined ? undefined : connectionOptions(headers.connection);
  const out: OutgoingHttpHeaders = {};
  for (const name in headers) {
    if (!OWN_OF_RESPONSES.has(name) && !named?.has(name)) out[name] = headers[name];
  }
  const timing = headers['server-timing'];
  out['server-timing'] = timing === undefined ? additions.timing : `${String(timing)}, ${additions.timing}`;
  out['x-request-id'] = additions.requestId;
  out[VARIANT_HEADER] = additions.route;
  if (additions.closes) out.connection = 'close';
  return out;
}

/** Names that a Connection header says are for this connection only. @param given what undici found twice is an array, whatever its types say */
function connectionOptions(given: string | string[]): ReadonlySet<string> | undefined {
  const header = String(given);
  if (header === 'keep-alive' || header === 'close') return undefined;
  return new Set(header.split(',').map((option) => option.trim().toLowerCase()));
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
