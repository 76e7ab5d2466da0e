/** What became of a request? Every one that was sent ends in exactly one of these ways. */
import { isPart, type Part, parseServerTiming } from './server-timing.ts';

/**
 * - `answered`: a whole answer with its sources; a stream with its `done`.
 * - `refused`: the server said in its own words that it cannot now (429, 503, 504, each with a code).
 * - `broken`: a stream that ended with an `error` event.
 * - `failed`: anything else: no answer, an answer that is none, a stream that just stops, an error of the server, a request that it takes for wrong.
 */
export const OUTCOMES = ['answered', 'refused', 'broken', 'failed'] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Which codes of docs/errors.md can come with which outcome; a code that is none of them is told as `other`. */
export const REASONS = [
  'queue_full',
  'rate_limit_exceeded',
  'not_ready',
  'draining',
  'no_backend',
  'deadline_exceeded',
  'upstream_failed',
  'generator_failed',
  'generator_unavailable',
  'internal',
  'invalid_json',
  'invalid_request',
  'unsupported',
  'context_length_exceeded',
  'malformed_http',
  'invalid_api_key',
  'not_found',
  'model_not_found',
  'method_not_allowed',
  'request_timeout',
  'payload_too_large',
  'unsupported_media_type',
  'headers_too_large',
  'stalled',
  'no_answer_in_time',
  'connection_refused',
  'connection_lost',
  'no_connection',
  'stream_cut',
  'not_an_answer',
  'other',
] as const;

export type Reason = (typeof REASONS)[number];

export interface Ending {
  readonly outcome: Outcome;
  /** Why it is no answer. */
  readonly reason?: Reason;
  /** In milliseconds, by the server; empty where it told nothing. */
  readonly parts: Partial<Record<Part, number>>;
}

/** What k6 knows of a response. */
export interface Received {
  /** 0: there was none. */
  readonly status: number;
  readonly body: string;
  readonly serverTiming: string | undefined;
  /** https://grafana.com/docs/k6/latest/javascript-api/error-codes/; 0: none. */
  readonly errorCode: number;
}

const REFUSALS: readonly number[] = [429, 503, 504];

export function endingOf({ status, body, serverTiming, errorCode }: Received, streams: boolean): Ending {
  const parts = parseServerTiming(serverTiming);
  if (status === 200 && errorCode === 0) return streams ? endingOfStream(body, parts) : endingOfAnswer(body, parts);
  if (status === 0 || status === 200) return { outcome: 'failed', reason: lossOf(errorCode), parts };
  const code = codeOf(parsed(body));
  if (code === undefined) return { outcome: 'failed', reason: 'not_an_answer', parts };
  return { outcome: REFUSALS.includes(status) ? 'refused' : 'failed', reason: reasonOf(code), parts };
}

function endingOfAnswer(body: string, parts: Ending['parts']): Ending {
  const answer = parsed(body) as { result?: unknown; sources?: unknown } | undefined;
  const isWhole = typeof answer?.result === 'string' && Array.isArray(answer.sources);
  return isWhole ? { outcome: 'answered', parts } : { outcome: 'failed', reason: 'not_an_answer', parts };
}

function endingOfStream(body: string, head: Ending['parts']): Ending {
  const last = /(?:^|\n)event: (done|error)\ndata: ([^\n]*)\n\n$/.exec(body);
  if (last === null) return { outcome: 'failed', reason: 'stream_cut', parts: head };
  const data = parsed(last[2]!);
  if (last[1] === 'error') return { outcome: 'broken', reason: reasonOf(codeOf(data) ?? 'other'), parts: head };
  const timings = (data as { timings?: Record<string, unknown> } | undefined)?.timings ?? {};
  const parts = { ...head };
  for (const [name, ms] of Object.entries(timings)) if (isPart(name) && typeof ms === 'number') parts[name] = ms;
  return { outcome: 'answered', parts };
}

/** Of the one shape that every error of ours has. */
function codeOf(body: unknown): string | undefined {
  const code = (body as { error?: { code?: unknown } } | undefined | null)?.error?.code;
  return typeof code === 'string' ? code : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(code: string): Reason {
  return (REASONS as readonly string[]).includes(code) ? (code as Reason) : 'other';
}

/** Why there is no (whole) response. */
function lossOf(errorCode: number): Reason {
  if (errorCode === 1050) return 'no_answer_in_time';
  if (errorCode === 1212) return 'connection_refused';
  // Dialling, and names that nobody knows.
  if (errorCode >= 1100 && errorCode < 1220) return 'no_connection';
  return 'connection_lost';
}
