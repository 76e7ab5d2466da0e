/** Which X-Request-Id a request gets: the client's where it is safe to echo and log, otherwise a new one. */
import { randomUUID } from 'node:crypto';

const SAFE = /^[A-Za-z0-9._-]{1,128}$/;

/** @param given value of the header, if there was one */
export function requestIdFrom(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && SAFE.test(given) ? given : randomUUID();
}
