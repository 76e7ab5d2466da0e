/** What does a pod's status mean for the request, and for the pod? */
import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from '@ragscale/service/admission-queue';
import { ServiceError } from '@ragscale/service/error-catalogue';

/**
 * `answer`: goes to the client, client errors and a deadline that has passed included. `busy`: the pod is full, starts or leaves; it has
 * done nothing. `failed`: it has tried and could not.
 */
export type Verdict =
  | { readonly kind: 'answer' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  | { readonly kind: 'failed' };

const ANSWER: Verdict = { kind: 'answer' };
const FAILED: Verdict = { kind: 'failed' };

export function verdictOn(status: number, headers: IncomingHttpHeaders): Verdict {
  if (status < 429) return ANSWER;
  if (status === 429 || status === 503) return { kind: 'busy', retryAfterSeconds: secondsOf(headers['retry-after']) };
  return status === 500 || status === 502 ? FAILED : ANSWER;
}

/** A date is no answer of a pod of ours. */
function secondsOf(retryAfter: string | undefined): number {
  const seconds = Number(retryAfter ?? 1);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : 1;
}

const REFUSED = {
  requests: 'as many requests wait as may; try again after Retry-After',
  tokens: 'as many bytes wait as may; try again after Retry-After',
  deadline: 'no answer is expected in time; try again after Retry-After',
} as const;

export function answerWhenRefused({ reason, retryAfterSeconds }: Refusal): ServiceError {
  return new ServiceError('queue_full', { detail: REFUSED[reason] }, { retryAfterSeconds });
}
