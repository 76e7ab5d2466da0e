/** Who looks, measures, decides and applies, round after round, for all targets? The same loop on a cluster and on one computer. */
import { createScaler, type TargetScaler } from '@ragscale/scaling/scaler';
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import { type Fleet, FleetError, type FleetState } from './fleet.ts';
import { inParallel } from './in-parallel.ts';
import type { Leadership } from './leadership.ts';
import type { Measured, Measurements } from './measurements.ts';
import type { Report, Reporter } from './report.ts';
import type { Problem, Target } from './target.ts';

/** Requests to the API server under way at once. */
const AT_ONCE = 16;
const LOOK_TIMEOUT_MS = 10_000;
/** After which no more looks are begun, and no more writes: whoever asks whether this process lives (administration.ts) waits longer. */
const LOOKS_MS = 25_000;
const ROUND_MS = 45_000;
const MEASURE_TIMEOUT_MS = 10_000;
const WRITE_TIMEOUT_MS = 5_000;
/** With less time left as the leader nothing is begun. */
const LEAST_WRITE_MS = 1_000;

export interface ControlLoopParts {
  readonly fleet: Fleet;
  readonly measurements: Measurements;
  readonly reporter: Reporter;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly periodMs: number;
  readonly logger: Logger;
  /** After each round in which this process led. */
  readonly onRound?: (durationMs: number) => void;
  /** Milliseconds since the epoch, for reports. */
  readonly wallNow?: () => number;
}

interface Known {
  target: Target;
  /** From the first time that it could be looked at. */
  scaler: TargetScaler | undefined;
  /** For which `scaler` is. */
  generation: number;
}

interface Looked {
  readonly known: Known;
  readonly state: FleetState;
}

const NO_TIME: Problem = {
  reason: 'FailedGetScale',
  message: 'the API server answers so slowly that there was no time to read the number of replicas',
};

/** What is known of a target at the end of a round; the rest of its report is undefined. */
type Outcome = Partial<Omit<Report, 'target' | 'at'>>;

export class ControlLoop {
  readonly #parts: ControlLoopParts;
  readonly #stopping = new AbortController();
  #known = new Map<string, Known>();
  #running: Promise<void> | undefined;
  #lastRoundAt: number | undefined;

  constructor(parts: ControlLoopParts) {
    this.#parts = parts;
  }

  /** When a round was over last, by the clock that was given: rounds of somebody who only stands by count. */
  get lastRoundAt(): number | undefined {
    return this.#lastRoundAt;
  }

  /** From now on these, and no others. What was learnt of those that stay is kept. */
  setTargets(targets: readonly Target[]): void {
    const before = this.#known;
    this.#known = new Map();
    for (const target of targets) {
      const known = before.get(target.id) ?? { target, scaler: undefined, generation: target.generation };
      known.target = target;
      this.#known.set(target.id, known);
      before.delete(target.id);
    }
    for (const { target } of before.values()) this.#parts.reporter.forget(target);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when the round in progress is over; what it has not begun to write it does not write. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, periodMs, logger } = this.#parts;
    const { signal } = this.#stopping;
    let due = clock.now();
    while (!signal.aborted) {
      try {
        await this.#round(signal);
      } catch (error) {
        // A fault of ours: the next round may do better, and a supervisor who restarts us would lose what was learnt.
        logger.error({ err: error }, 'a round failed');
      }
      const now = clock.now();
      this.#lastRoundAt = now;
      // Late rounds are not made up for.
      due = Math.max(due + periodMs, now);
      await clock.sleep(due - now, signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { leadership, clock, onRound } = this.#parts;
    if (leadership.remainingMs() <= 0) return this.#standBy();
    const startedAt = clock.now();
    const looked: Looked[] = [];
    await inParallel(AT_ONCE, this.#known.values(), async (known) => {
      if (leadership.remainingMs() <= 0) return;
      const isLate = clock.now() - startedAt > LOOKS_MS;
      if (isLate) return this.#report(known.target, { problem: NO_TIME });
      const state = await this.#look(known, signal);
      if (state !== undefined) looked.push({ known, state });
    });
    if (signal.aborted) return;
    if (leadership.remainingMs() <= 0) return this.#standBy();
    const measured = await this.#measure(looked, signal);
    if (signal.aborted) return;
    const until = startedAt + ROUND_MS;
    await inParallel(AT_ONCE, looked, ({ known, state }) =>
      this.#decide(known, state, measured.get(known.target.id), until),
    );
    onRound?.(clock.now() - startedAt);
  }

  /** What is learnt grows old while somebody else decides: the next term begins as a restart does, which takes nothing away. */
  #standBy(): void {
    for (const known of this.#known.values()) {
      if (known.scaler === undefined) continue;
      known.scaler = undefined;
      this.#parts.reporter.forget(known.target);
    }
  }

  async #look({ target }: Known, signal: AbortSignal): Promise<FleetState | undefined> {
    try {
      return await this.#parts.fleet.look(target, within(signal, LOOK_TIMEOUT_MS));
    } catch (error) {
      if (!signal.aborted) this.#report(target, { problem: this.#problemOf(error, 'FailedGetScale') });
      return undefined;
    }
  }

  #measure(looked: readonly Looked[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const wanted = looked.map(({ known, state }) => ({ target: known.target, readyPods: state.readyPods }));
    if (wanted.length === 0) return Promise.resolve(new Map());
    return this.#parts.measurements.measure(wanted, within(signal, MEASURE_TIMEOUT_MS));
  }

  async #decide(known: Known, state: FleetState, measured: Measured | undefined, until: number): Promise<void> {
    const { target } = known;
    // It went while the round was under way.
    if (this.#known.get(target.id) !== known) return;
    if (measured === undefined) throw new Error(`nothing was measured of ${target.id}`);
    let outcome: Outcome = { state, measured };
    try {
      const scaler = this.#scalerOf(known, state.replicas.spec);
      const decision = scaler.decide({ replicas: state.replicas, ...measured.observation }, this.#parts.clock.now());
      outcome = { ...outcome, decision, estimates: scaler.estimates() };
      const scaled = await this.#apply(target, state.replicas.spec, decision.replicas, until);
      outcome = { ...outcome, scaled };
    } catch (error) {
      outcome = { ...outcome, problem: this.#problemOf(error, 'FailedDecision') };
    }
    this.#report(target, outcome);
  }

  #scalerOf(known: Known, replicas: number): TargetScaler {
    const { target } = known;
    const spec = { ...target.policy, periodMs: this.#parts.periodMs };
    if (known.scaler === undefined) {
      known.scaler = createScaler(spec, { now: this.#parts.clock.now(), replicas });
      known.generation = target.generation;
    } else if (known.generation !== target.generation) {
      known.scaler.change(spec);
      known.generation = target.generation;
    }
    return known.scaler;
  }

  /** @returns whether the number was changed: not where this process may no longer decide, or it has taken too long */
  async #apply(target: Target, from: number, to: number, until: number): Promise<boolean> {
    if (to === from || this.#stopping.signal.aborted) return false;
    const { leadership, clock } = this.#parts;
    const remainingMs = Math.min(WRITE_TIMEOUT_MS, leadership.remainingMs(), until - clock.now());
    if (remainingMs < LEAST_WRITE_MS) return false;
    await this.#parts.fleet.scale(target, from, to, AbortSignal.timeout(remainingMs));
    return true;
  }

  #problemOf(error: unknown, reason: string): Problem {
    if (error instanceof FleetError) return error.problem;
    this.#parts.logger.error({ err: error }, 'a target could not be served');
    return { reason, message: error instanceof Error ? error.message : String(error) };
  }

  #report(target: Target, outcome: Outcome): void {
    const at = (this.#parts.wallNow ?? Date.now)();
    const nothing = { state: undefined, measured: undefined, decision: undefined, estimates: undefined };
    this.#parts.reporter.report({ target, at, ...nothing, scaled: false, problem: undefined, ...outcome });
  }
}

function within(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}
