/** What of a round is an event? What happened in it, and what is otherwise than in the round before. */
import { explain } from '@ragscale/scaling/explain';
import { numberOf } from '@ragscale/scaling/missing-data';
import type { Leadership } from '../leadership.ts';
import type { Report, Reporter } from '../report.ts';
import type { Problem, Target } from '../target.ts';
import { type Condition, findingsOf, isPassing } from './conditions.ts';
import type { EventRecorder, ToldEvent } from './event-recorder.ts';
import type { LatencyAutoscaler } from './latency-autoscaler.ts';
import type { WatchedTarget } from './resource-source.ts';

export interface EventReporterParts {
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly find: (id: string) => WatchedTarget | undefined;
  /** Refusals are seen by those too who stand by. */
  readonly leadership: Leadership;
}

/** Of the round before; undefined: nothing is known of it. */
interface Remembered {
  problem: string | undefined;
  /** The metrics that decisions need are there; undefined: they were not yet, and nobody was told. */
  measured: boolean | undefined;
  /** Rounds in a row without them. */
  blindRounds: number;
  violated: boolean;
  overdue: boolean;
  tooCoarse: boolean;
}

export class EventReporter implements Reporter {
  readonly #parts: EventReporterParts;
  /** By id. */
  readonly #remembered = new Map<string, Remembered>();
  /** What the owner was told about a resource that cannot be taken up, by id. */
  readonly #refused = new Map<string, string>();

  constructor(parts: EventReporterParts) {
    this.#parts = parts;
  }

  report(report: Report): void {
    const { id } = report.target;
    const resource = this.#parts.find(id)?.resource;
    if (resource === undefined) return;
    this.#refused.delete(id);
    const before = this.#remembered.get(id) ?? NOTHING;
    const { events, after } = eventsOf(report, before);
    this.#remembered.set(id, after);
    for (const event of events) this.#parts.recorder.record(resource, event);
  }

  forget({ id }: Target): void {
    this.#remembered.delete(id);
  }

  /** It cannot be taken up. */
  refuse(resource: LatencyAutoscaler, { reason, message }: Problem): void {
    const id = `${resource.metadata.namespace}/${resource.metadata.name}`;
    if (this.#refused.get(id) === message || this.#parts.leadership.remainingMs() <= 0) return;
    this.#refused.set(id, message);
    this.#parts.recorder.record(resource, { type: 'Warning', reason, message });
  }

  /** There is no such resource any more. */
  gone(id: string): void {
    this.#remembered.delete(id);
    this.#refused.delete(id);
  }
}

/** In which a resource that is new may be without metrics: its route has not been scraped yet. */
const FIRST_ROUNDS = 12;

const NOTHING: Remembered = {
  problem: undefined,
  measured: undefined,
  blindRounds: 0,
  violated: false,
  overdue: false,
  tooCoarse: false,
};

function eventsOf(report: Report, before: Remembered): { events: readonly ToldEvent[]; after: Remembered } {
  const events: ToldEvent[] = [];
  const tell = (type: ToldEvent['type'], reason: string, message: string) => events.push({ type, reason, message });
  const { decision, target, state, scaled, measured } = report;
  const findings = new Map(findingsOf(report, new Set()).map((finding) => [finding.type, finding]));
  const holds = (type: string, reason?: string) => isTrue(findings.get(type), reason);
  const after = { ...before };

  const problem = isPassing(report.problem) ? undefined : report.problem;
  after.problem = problem?.message;
  if (problem !== undefined && problem.message !== before.problem) tell('Warning', problem.reason, problem.message);
  if (problem === undefined && before.problem !== undefined)
    tell('Normal', 'Recovered', 'the target can be scaled again');
  if (decision === undefined || measured === undefined) return { events, after };

  if (scaled) tell('Normal', 'SuccessfulRescale', explain(decision, target.policy.objective));
  const active = findings.get('ScalingActive');
  const isBlind = active?.reason === 'MetricsMissing' || active?.reason === 'MetricsStale';
  after.blindRounds = isBlind ? before.blindRounds + 1 : 0;
  if (!isBlind) {
    if (before.measured === false) tell('Normal', 'MetricsRecovered', 'the metrics are there again');
    after.measured = true;
  } else if (before.measured === true || after.blindRounds === FIRST_ROUNDS) {
    tell('Warning', active.reason, active.message);
    after.measured = false;
  }

  const limited = findings.get('ScalingLimited');
  after.violated = holds('ScalingLimited', 'TooManyReplicas') && isViolated(report);
  if (after.violated && !before.violated) {
    tell('Warning', 'ScalingLimited', `the objective is not held: ${limited?.message}`);
  }
  after.overdue = holds('ScalingLimited', 'ColdStartOverdue');
  if (after.overdue && !before.overdue) tell('Warning', 'ColdStartOverdue', limited?.message ?? '');
  after.tooCoarse = holds('MetricsTooCoarse');
  if (after.tooCoarse && !before.tooCoarse) {
    tell('Warning', 'MetricsTooCoarse', findings.get('MetricsTooCoarse')?.message ?? '');
  }
  // A hint for whoever looks at the change that brings no pods.
  if (scaled && state?.waitingFor !== undefined) tell('Warning', 'PodsNotStarting', state.waitingFor);
  return { events, after };
}

/** More requests are bad than the objective allows, over the longest window. */
function isViolated({ measured, target }: Report): boolean {
  const shares = measured?.observation.badShares.map(({ reading }) => numberOf(reading)) ?? [];
  const bad = shares.findLast((share) => share !== undefined);
  return bad !== undefined && bad > 1 - target.policy.objective.percentile / 100;
}

function isTrue(finding: Pick<Condition, 'status' | 'reason'> | undefined, reason?: string): boolean {
  return finding?.status === 'True' && (reason === undefined || finding.reason === reason);
}
