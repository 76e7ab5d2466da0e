/** Where finished spans leave: how many may wait, what is said when they get lost, and how long the end may take. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

const REPORT_INTERVAL_MS = 60_000;
const MAX_REPORT_LENGTH = 300;

/** Says the first error, and then at most one a minute, with how many were left out. */
export class ErrorReports {
  readonly #say: (message: string) => void;
  readonly #now: () => number;
  #lastAt = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(say: (message: string) => void, now: () => number = () => performance.now()) {
    this.#say = say;
    this.#now = now;
  }

  report(message: string): void {
    if (this.#now() - this.#lastAt < REPORT_INTERVAL_MS) {
      this.#unsaid += 1;
      return;
    }
    const more = this.#unsaid === 0 ? '' : `; ${this.#unsaid} more since the last report`;
    this.#lastAt = this.#now();
    this.#unsaid = 0;
    this.sayAtOnce(message + more);
  }

  /** Whatever was said before. */
  sayAtOnce(message: string): void {
    this.#say(message.length <= MAX_REPORT_LENGTH ? message : `${message.slice(0, MAX_REPORT_LENGTH)}...`);
  }
}

type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

export interface OutletParts {
  readonly exporter: SpanExporter;
  /** Spans that may wait for an export. */
  readonly capacity: number;
  /** For messages; without credentials. */
  readonly destination: string;
  readonly reports: ErrorReports;
}

/** Stands between the SDK's batches and its exporter; a failed export is reported here and nowhere else. */
export class SpanOutlet implements SpanExporter {
  readonly #parts: OutletParts;
  /** Spans in the batch processor. */
  #waiting = 0;
  /** Spans of exports that run. */
  #leaving = 0;
  #closed = false;
  #abandoned = false;

  constructor(parts: OutletParts) {
    this.#parts = parts;
  }

  /** Whether a trace of so many spans has room: the batch processor would take a part of one. Counts them if so. */
  admits(spans: number): boolean {
    if (this.#closed) return false;
    const { capacity, reports } = this.#parts;
    if (this.#waiting + spans > capacity) {
      reports.report(`a trace was dropped: ${this.#waiting} spans wait for their export already`);
      return false;
    }
    this.#waiting += spans;
    return true;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#waiting -= spans.length;
    this.#leaving += spans.length;
    const ended = ({ code, error }: ExportResult): void => {
      this.#leaving -= spans.length;
      if (code !== SUCCESS) this.#reportLoss(spans.length, error);
      // A failure would be reported again, by the processor, to a handler of the whole process.
      done({ code: SUCCESS });
    };
    try {
      this.#parts.exporter.export(spans, ended);
    } catch (error) {
      ended({ code: FAILURE, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  forceFlush(): Promise<void> {
    return this.#parts.exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.#parts.exporter.shutdown();
  }

  /** Takes no more spans; waits for `flush`, and says what was lost if that takes longer than `limitMs`. Never throws. */
  async close(flush: () => Promise<void>, limitMs: number): Promise<void> {
    this.#closed = true;
    const timer = new AbortController();
    const expired = sleep(limitMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([flush().catch((error: unknown) => this.#parts.reports.report(explained(error))), expired]);
    timer.abort();
    this.#abandoned = true;
    const lost = this.#waiting + this.#leaving;
    if (lost > 0) {
      this.#parts.reports.sayAtOnce(`${lost} spans were not yet exported to ${this.#parts.destination} at the end`);
    }
  }

  #reportLoss(spans: number, error: Error | undefined): void {
    if (this.#abandoned) return;
    const { reports, destination } = this.#parts;
    reports.report(`${spans} spans could not be exported to ${destination}: ${explained(error)}`);
  }
}

/** Values of `ExportResultCode` of @opentelemetry/core, which is not imported before it is needed. */
const SUCCESS = 0;
const FAILURE = 1;

/** An AggregateError, of a host with several addresses, has a code and no message. */
function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error ?? 'no reason was given');
  const code = 'code' in error && error.code !== undefined ? String(error.code) : '';
  return error.message.includes(code) ? error.message || error.name : `${error.message} ${code}`.trim();
}
