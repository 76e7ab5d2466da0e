/** When does a client ask a second time? When the proxy that it was talking to was killed: no server is left that could tell it anything. */
import type { Reply } from '../e2e/support/ask.ts';

/** Of a proxy; in milliseconds of one clock. */
export interface Death {
  readonly at: number;
  /** When as many proxies were ready as before; until then connections to the one that died are refused. Infinite while that is not so. */
  readonly overAt: number;
}

/** Who was refused just before may say so just after. */
const AFTERMATH_MS = 2_000;

/** What a client finds when its connection is refused or breaks, as `ask` says it. What a server sent to its end begins otherwise. */
const BROKEN = /^(?:UND_ERR_\w+|E[A-Z]+|no answer): /;

/**
 * Generating an answer has no side effects, so that this is always right. Only where the connection broke, or an answer was cut, and only if
 * that was while a proxy died: everything else is the system's failure.
 * @param sentAt and `endedAt`: by the clock of the deaths
 */
export function mayAskAgain(reply: Reply, sentAt: number, endedAt: number, deaths: readonly Death[]): boolean {
  if (reply.outcome !== 'failed' || !BROKEN.test(reply.reason)) return false;
  return deaths.some(({ at, overAt }) => at <= endedAt && sentAt <= overAt + AFTERMATH_MS);
}
