/** How cheap could it be? A schedule made by somebody who knows all that will come, and when a pod that is ordered now will be able. */
import type { Arrivals } from '../arrivals/arrivals.ts';
import type { SimulationOptions } from '../simulator/options.ts';
import { seededRandom } from '../simulator/random.ts';
import { throughputAt } from '../simulator/service-curve.ts';
import { STREAMS, simulate } from '../simulator/simulate.ts';
import { worksOf } from '../simulator/sizes.ts';
import { clampReplicas, type ReplicaLimits } from './competitor.ts';
import { startSchedule } from './oracle-start.ts';
import { ordersOf, type Schedule, scheduledScaler } from './schedule.ts';

export interface OraclePlan {
  readonly schedule: Schedule;
  /** What it costs, and what share of the requests it fails, both simulated. */
  readonly replicaSeconds: number;
  readonly violationShare: number;
  /**
   * No way to scale costs less at as few violations: the work of the good requests, the smallest ones, by the most that a pod does. It knows
   * nothing of queues and cold starts, so the true optimum lies between it and `replicaSeconds`.
   */
  readonly lowerBound: number;
  readonly simulations: number;
}

export interface OracleParts {
  readonly limits: ReplicaLimits;
  /** Share of the requests that may fail. */
  readonly allowed: number;
  readonly stepMs: number;
  /**
   * At most so many times a pod is taken from windows of each length, in each pass; every pass after the first begins with pods given back. With
   * none the plan follows the rate of the requests around each moment: what somebody could who knows the rate, not the requests.
   */
  readonly rounds: number;
  readonly passes: number;
  /** Called now and then with the share of the search that is done. */
  readonly onProgress?: (share: number) => void;
}

export const ORACLE_DEFAULTS: Omit<OracleParts, 'limits'> = { allowed: 0.005, stepMs: 5_000, rounds: 3, passes: 1 };

/** In steps: what is tried to be done with one pod fewer, from coarse to fine. */
const WINDOWS = [48, 24, 12, 6, 3, 2];

/** The simple schedule that the search begins with leaves the rest of what may fail to it. */
const START_BUDGET = 0.7;

/** Of the time that a search takes, about. */
const START_SHARE = 0.3;

/** Share of what may fail that a pass frees by giving pods back. */
const FREED = 0.25;

/** A window that is tried has so many times its length to itself: who waits because of it is counted there. */
const APART = 3;
const LEAST_APART = 12;

/**
 * A search with the simulator as its judge. From the best of some simple schedules it takes away a pod for a window of time wherever that saves
 * most for each request that it fails, in windows that get shorter, until nothing can be taken without failing more than allowed. Many
 * windows far from each other are tried in one simulation.
 *
 * What comes out is a real schedule, so its cost is an upper bound of the optimum; as a local search it misses what needs two changes at once.
 */
export function planOracle(options: Omit<SimulationOptions, 'scaler'>, parts: OracleParts): OraclePlan {
  const random = seededRandom(options.seed, STREAMS.arrivals);
  const arrivals = typeof options.arrivals === 'function' ? options.arrivals(random) : options.arrivals;
  return new Search({ ...options, arrivals }, arrivals, parts).plan();
}

interface Tried {
  readonly bad: Uint8Array;
  readonly failed: number;
  readonly replicaSeconds: number;
}

interface Windows {
  readonly first: number;
  readonly length: number;
  readonly apart: number;
  readonly change: 1 | -1;
}

/** One window, in steps; `saved` is in pods times steps and below 0 where it costs more, `failed` below 0 where it fails fewer. */
interface Candidate {
  readonly from: number;
  readonly to: number;
  readonly change: 1 | -1;
  readonly saved: number;
  readonly failed: number;
}

class Search {
  readonly #options: Omit<SimulationOptions, 'scaler'>;
  readonly #arrivals: Arrivals;
  readonly #parts: OracleParts;
  readonly #coldStartMs: number;
  readonly #allowed: number;
  /** By request. */
  readonly #steps: Int32Array;
  #able: Int32Array;
  #simulations = 0;

  constructor(options: Omit<SimulationOptions, 'scaler'>, arrivals: Arrivals, parts: OracleParts) {
    this.#options = options;
    this.#arrivals = arrivals;
    this.#parts = parts;
    const { readyMs, spread = 0 } = options.pods.coldStart;
    this.#coldStartMs = readyMs * Math.exp(2 * spread);
    this.#allowed = Math.floor(parts.allowed * arrivals.timesMs.length);
    this.#steps = Int32Array.from(arrivals.timesMs, (at) => Math.floor(at / parts.stepMs));
    this.#able = startSchedule({
      arrivals,
      pods: options.pods,
      limits: parts.limits,
      stepMs: parts.stepMs,
      allowed: this.#allowed,
      budget: (parts.rounds > 0 ? START_BUDGET : 1) * this.#allowed,
      judge: (able) => this.#try(able),
      onProgress: (share) => this.#progress(START_SHARE * share),
    });
  }

  plan(): OraclePlan {
    for (let pass = 0; pass < this.#parts.passes; pass++) {
      const before = this.#try(this.#able);
      const able = this.#able;
      if (pass > 0) this.#raise(WINDOWS[pass % WINDOWS.length]!, before);
      WINDOWS.forEach((length, index) => {
        const done = (pass + index / WINDOWS.length) / this.#parts.passes;
        this.#progress(START_SHARE + (1 - START_SHARE) * done);
        for (let round = 0; round < this.#parts.rounds; round++) if (!this.#descend(length, round)) break;
      });
      if (this.#try(this.#able).replicaSeconds > before.replicaSeconds) this.#able = able;
    }
    const { failed, replicaSeconds } = this.#try(this.#able);
    const count = this.#arrivals.timesMs.length;
    return {
      schedule: { stepMs: this.#parts.stepMs, able: this.#able },
      replicaSeconds,
      violationShare: count === 0 ? 0 : failed / count,
      lowerBound: this.#lowerBound(),
      simulations: this.#simulations,
    };
  }

  #progress(share: number): void {
    this.#parts.onProgress?.(share);
  }

  /** @returns whether anything was taken away */
  #descend(length: number, round: number): boolean {
    const before = this.#try(this.#able);
    const candidates: Candidate[] = [];
    const apart = Math.max(APART * length, length + LEAST_APART);
    // Windows of the next round begin half a window later.
    const offset = round % 2 === 0 ? 0 : length >> 1;
    for (let first = offset; first < apart; first += length) {
      candidates.push(...this.#candidates({ first, length, apart, change: -1 }, before));
    }
    const value = ({ saved, failed }: Candidate) => saved / Math.max(failed, 1e-3);
    candidates.sort((a, b) => value(b) - value(a));
    // Coarse windows may not spend all that fine ones can spend better.
    const share = 0.5 ** (1 + Math.log2(length));
    const left = this.#allowed - before.failed;
    return this.#take(candidates, Math.max(left * Math.max(share, 0.15), length <= 3 ? left : 0), before);
  }

  /** One pod fewer, or more, in every window that begins at `first`, `first + apart` and so on: what would each save, and whom would it fail? */
  #candidates({ first, length, apart, change }: Windows, before: Tried): Candidate[] {
    const { stepMs } = this.#parts;
    const trial = this.#able.slice();
    const windows: number[] = [];
    for (let from = first; from < trial.length; from += apart) {
      windows.push(from);
      this.#change(trial, { from, to: from + length, change });
    }
    const after = this.#try(trial);
    const changes = new Map<number, number>();
    this.#steps.forEach((step, request) => {
      const difference = after.bad[request]! - before.bad[request]!;
      if (difference === 0 || step < first) return;
      const index = Math.floor((step - first) / apart);
      changes.set(index, (changes.get(index) ?? 0) + difference);
    });
    const orders = ordersOf({ able: this.#able, stepMs }, this.#coldStartMs);
    const newOrders = ordersOf({ able: trial, stepMs }, this.#coldStartMs);
    const ahead = Math.ceil(this.#coldStartMs / stepMs);
    return windows.flatMap((from, index) => {
      let saved = 0;
      for (let step = Math.max(0, from - ahead); step < Math.min(from + length, orders.length); step++) {
        saved += orders[step]! - newOrders[step]!;
      }
      return saved === 0 ? [] : [{ from, to: from + length, change, saved, failed: changes.get(index) ?? 0 }];
    });
  }

  /** Gives pods back where that helps most requests for its cost: what is free to be failed then may save more elsewhere. */
  #raise(length: number, before: Tried): void {
    const apart = Math.max(APART * length, length + LEAST_APART);
    const candidates: Candidate[] = [];
    for (let first = 0; first < apart; first += length) {
      candidates.push(...this.#candidates({ first, length, apart, change: 1 }, before));
    }
    const value = ({ saved, failed }: Candidate) => failed / saved;
    const helping = candidates
      .filter(({ saved, failed }) => failed < 0 && saved < 0)
      .sort((a, b) => value(b) - value(a));
    this.#able = this.#with(chosenOf(helping, ({ failed }) => -failed, FREED * this.#allowed));
  }

  /** Takes the best as long as they fail no more than `budget`; half of them, and half again, where together they fail more. */
  #take(candidates: readonly Candidate[], budget: number, before: Tried): boolean {
    const saving = candidates.filter(({ saved }) => saved > 0);
    const chosen = chosenOf(saving, ({ failed }) => Math.max(0, failed), budget);
    for (let count = chosen.length; count > 0; count >>= 1) {
      const trial = this.#with(chosen.slice(0, count));
      const after = this.#try(trial);
      if (after.failed > this.#allowed || after.replicaSeconds >= before.replicaSeconds) continue;
      this.#able = trial;
      return true;
    }
    return false;
  }

  #with(candidates: readonly Candidate[]): Int32Array {
    const able = this.#able.slice();
    for (const candidate of candidates) this.#change(able, candidate);
    return able;
  }

  #change(able: Int32Array, { from, to, change }: Pick<Candidate, 'from' | 'to' | 'change'>): void {
    for (let step = from; step < Math.min(to, able.length); step++) {
      able[step] = clampReplicas(able[step]! + change, this.#parts.limits);
    }
  }

  #try(able: Int32Array): Tried {
    this.#simulations += 1;
    const { stepMs } = this.#parts;
    const result = simulate({
      ...this.#options,
      sampleIntervalMs: 0,
      keepOutcomes: true,
      initialReplicas: ordersOf({ able, stepMs }, this.#coldStartMs)[0]!,
      scaler: scheduledScaler({ able, stepMs }, this.#coldStartMs),
    });
    return { bad: result.bad, failed: result.violations, replicaSeconds: result.replicaSeconds };
  }

  #lowerBound(): number {
    const { pods, seed } = this.#options;
    const works = worksOf(this.#arrivals, pods, seededRandom(seed, STREAMS.sizes)).sort();
    const good = works.subarray(0, works.length - this.#allowed);
    return good.reduce((sum, ms) => sum + ms, 0) / 1000 / throughputAt(pods.curve, pods.slots);
  }
}

/** The first ones, as many as `budget` allows, none beside another: there its trial would no longer be true. */
function chosenOf(
  candidates: readonly Candidate[],
  costOf: (candidate: Candidate) => number,
  budget: number,
): Candidate[] {
  const chosen: Candidate[] = [];
  let spent = 0;
  for (const candidate of candidates) {
    if (spent + costOf(candidate) > budget) continue;
    if (chosen.some(({ from, to }) => candidate.from < to + LEAST_APART && from < candidate.to + LEAST_APART)) continue;
    spent += costOf(candidate);
    chosen.push(candidate);
  }
  return chosen;
}
