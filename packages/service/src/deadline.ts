/** How long a request may take: X-Request-Timeout-Ms, clamped to what the server allows. */
import { ServiceError } from './error-catalogue.ts';

export interface DeadlineLimits {
  readonly defaultMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export const DEADLINE_HEADER = 'x-request-timeout-ms';

/**
 * Milliseconds from the request's arrival.
 * @param header value of X-Request-Timeout-Ms
 * @throws ServiceError invalid_request unless the header is a positive integer
 */
export function deadlineMs(header: string | readonly string[] | undefined, limits: DeadlineLimits): number {
  if (header === undefined) return limits.defaultMs;
  if (typeof header !== 'string' || !/^[0-9]{1,15}$/.test(header) || Number(header) === 0) {
    throw new ServiceError(
      'invalid_request',
      { detail: 'X-Request-Timeout-Ms: must be a positive integer of milliseconds' },
      { param: 'X-Request-Timeout-Ms' },
    );
  }
  return Math.min(Math.max(Number(header), limits.minMs), limits.maxMs);
}
