/** Which finished requests get a line of the log, and what stands in it. */
import type { Logger } from 'pino';

/** Never the query string, a body, or a key. */
export interface AccessLogFields {
  readonly requestId: string;
  readonly method: string;
  /** The request's target as it came; what is not safe to keep is cut off here. */
  readonly path: string;
  readonly route: string;
  /** 499 where the client went away. */
  readonly status: number;
  readonly durationMs: number;
  /** Of it, until a pod was there. */
  readonly waitMs?: number | undefined;
  /** Of it, with the pod of the last attempt. */
  readonly upstreamMs?: number | undefined;
  readonly attempts: number;
  /** Of the last attempt. */
  readonly pod?: string | undefined;
  /** Whose key it was. */
  readonly keyName?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly bytesOut: number;
  readonly traceId?: string | undefined;
}

export interface AccessLogParts {
  readonly logger: Logger;
  /** The part of the requests that get a line, from 0 to 1. */
  readonly sampleRate: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
}

/**
 * Lines in a second. A line costs as much as a fifth of a small request, and an outage must not fill the disk: at the pace of answers from
 * language models nearly every request has its line, and a flood does not pay for those of its own.
 */
export const MAX_FAILURES_PER_SECOND = 100;
export const MAX_OTHERS_PER_SECOND = 200;
const WINDOW_MS = 1_000;

const MAX_PATH_LENGTH = 128;

export class AccessLog {
  readonly #parts: AccessLogParts;
  readonly #enabled: boolean;
  #windowEndsAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #others = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AccessLogParts) {
    this.#parts = parts;
    this.#enabled = parts.logger.isLevelEnabled('info');
  }

  /**
   * Ask once for each request, before anything is gathered for `write`.
   * @param now milliseconds of a monotonic clock
   */
  wants(status: number, now: number): boolean {
    if (!this.#enabled) return false;
    const failed = isFailure(status);
    if (!failed && !this.#isSampled()) return false;
    if (now >= this.#windowEndsAt) {
      this.#summarize();
      this.#windowEndsAt = now + WINDOW_MS;
    }
    if (failed) this.#failures += 1;
    else this.#others += 1;
    if (failed ? this.#failures <= MAX_FAILURES_PER_SECOND : this.#others <= MAX_OTHERS_PER_SECOND) return true;
    // In case nobody asks any more.
    this.#timer ??= setTimeout(() => this.#summarize(), WINDOW_MS).unref();
    return false;
  }

  write({ path, durationMs, waitMs, upstreamMs, ...fields }: AccessLogFields): void {
    const line = {
      ...fields,
      path: safePath(path),
      durationMs: rounded(durationMs),
      waitMs: rounded(waitMs),
      upstreamMs: rounded(upstreamMs),
    };
    this.#parts.logger.info(line, 'request');
  }

  /** Says what is left to say. */
  close(): void {
    this.#summarize();
  }

  #isSampled(): boolean {
    const { sampleRate, random } = this.#parts;
    return sampleRate >= 1 || (sampleRate > 0 && random() < sampleRate);
  }

  /** Tells of those that got no line, and begins to count anew. */
  #summarize(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const failures = Math.max(0, this.#failures - MAX_FAILURES_PER_SECOND);
    const others = Math.max(0, this.#others - MAX_OTHERS_PER_SECOND);
    this.#failures = 0;
    this.#others = 0;
    if (failures === 0 && others === 0) return;
    const level = failures > 0 ? 'warn' : 'info';
    this.#parts.logger[level]({ failures, others }, 'requests without a line of their own in the last second');
  }
}

/** What counts as bad against the objective: docs of the metrics say the same. */
function isFailure(status: number): boolean {
  return status >= 500 || status === 429;
}

/** Without host, query and fragment, of printable characters, and short: whatever a client sends, the line stays one about a path. */
function safePath(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  return path
    .slice(0, MAX_PATH_LENGTH)
    .replace(/[?#].*/s, '')
    .replace(/[^\x21-\x7e]/g, '_');
}

/** Whole microseconds. */
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000;
}
