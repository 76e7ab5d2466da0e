/** What did a run find? The one value that is written as JSON, drawn as a page and printed as text. */
import { OUTCOMES, type Outcome } from './outcome.ts';
import type { Stage } from './plan.ts';
import type { Part } from './server-timing.ts';
import type { Settings } from './settings.ts';

/** What of the plan is known when a run ends. */
export interface Outline {
  readonly stages: readonly Stage[];
  readonly requests: number;
  readonly durationMs: number;
  readonly virtualUsers: number;
  /** Of the gaps within stages: deviation by mean; 1 is a Poisson process, 0 even. */
  readonly variation: number;
}

/** Milliseconds; `null` where nothing was measured. */
export interface Latency {
  readonly count: number;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** Percent of the answers that came within so many milliseconds, ascending. */
  readonly distribution: readonly (readonly [percent: number, ms: number])[];
}

export type Outcomes = Readonly<Record<Outcome, number>>;

export interface Result {
  readonly outcomes: Outcomes;
  /** Answers within the objective. */
  readonly good: number;
  /** Until the last byte. */
  readonly latency: Latency;
  /** Of streams. */
  readonly firstToken: Latency;
  /** Means by the server's own account, in milliseconds. */
  readonly serverTimeMs: Readonly<Partial<Record<Part, number>>>;
}

export interface StageResult extends Result {
  readonly name: string;
  /** Requests a second as planned. */
  readonly rate: number;
  readonly startS: number;
  readonly planned: number;
  /** Answers a second, from the start of the stage to the end of its last request. */
  readonly throughput: number;
  /** Requests of the stages before that were under way when this one began. */
  readonly carriedOver: number;
}

export interface WindowResult {
  /** Seconds from the start. */
  readonly atS: number;
  /** By the time at which the requests were due. */
  readonly outcomes: Outcomes;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface Report {
  readonly format: 'ragscale-loadtest/1';
  readonly test: string;
  readonly name: string;
  readonly target: string;
  /** When the run ended, ISO 8601. */
  readonly endedAt: string;
  readonly ranS: number;
  readonly settings: Omit<Settings, 'apiKey'>;
  readonly stages: readonly StageResult[];
  readonly total: Result & { readonly planned: number; readonly sent: number };
  readonly reasons: readonly { readonly outcome: Outcome; readonly reason: string; readonly count: number }[];
  readonly statuses: readonly { readonly status: number; readonly count: number }[];
  readonly windows: { readonly lengthS: number; readonly rows: readonly WindowResult[] };
  /** That k6 sent what was planned, when it was planned. */
  readonly generator: {
    readonly virtualUsers: number;
    readonly mostInFlight: number;
    /** Requests for which no virtual user was free. */
    readonly late: number;
    /** Requests that were never sent. */
    readonly dropped: number;
    readonly lagMs: Latency;
    readonly variation: number;
  };
  /** Conditions of the run. */
  readonly thresholds: readonly { readonly metric: string; readonly condition: string; readonly holds: boolean }[];
  readonly passed: boolean;
}

export function sumOf(outcomes: Outcomes): number {
  return OUTCOMES.reduce((sum, outcome) => sum + outcomes[outcome], 0);
}
