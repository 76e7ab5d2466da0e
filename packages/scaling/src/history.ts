/** What has been learnt of one target, and what was recommended to it? All that outlives a decision. */
import { ArrivalRate } from './estimators/arrival-rate.ts';
import { BurstHeadroom } from './estimators/burst-headroom.ts';
import { ColdStart } from './estimators/cold-start.ts';
import { ServiceCurve } from './estimators/service-curve.ts';
import { SizeSpread, shareAbove } from './estimators/size-spread.ts';
import { WorkingShare } from './estimators/working-share.ts';
import { deviationAt, lateShare, type PodModel, type Target } from './law/pool-model.ts';
import { ReplicaLog } from './law/rate-limit.ts';
import { Stabilizer } from './law/stabilizer.ts';
import { type Facts, factsOf } from './missing-data.ts';
import type { Observation } from './observation.ts';
import type { ScalingPolicy } from './policy.ts';

/** Part of an answer's time until its first token: docs/measurements.md, 31 of 363 ms alone, 51 of 1011 under load. */
const FIRST_TOKEN_SHARE = 0.1;
/** As long as an HPA keeps what it was given. */
const KEPT_MS = 3_600_000;
/** From the measurement to the decision, and the decision to the pod. */
const LAG_MS = 10_000;
/** What a request counts that was answered while replicas came or went: its mean is of several numbers of them. */
const ROUGH = 0.1;
/** Where more are late, it is not because of their sizes. */
const MOST_LATE = 0.2;
/** Where less of their time in pods is work, it does not tell of sizes either. */
const MOSTLY_WORKING = 0.9;
/** Decisions that may be missing in a row. */
const GAP_PERIODS = 3;
/** No replica works on more at once: what says so is a fault. */
const MOST_SLOTS = 4_096;
/** Until a service time is known: an answer alone takes this part of the objective. */
const GUESSED_SHARE = 0.25;

export class History {
  readonly arrivals = new ArrivalRate();
  readonly service = new ServiceCurve();
  readonly working = new WorkingShare();
  readonly sizes = new SizeSpread();
  readonly bursts = new BurstHeadroom();
  readonly coldStart: ColdStart;
  readonly recommendations: Stabilizer;
  readonly replicas = new ReplicaLog();
  /** Since when all data come without a gap (infinite in one), and whether there was one before. */
  dataSince: number;
  recovering = false;
  /** Decisions in a row that had no arrivals. */
  failures = 0;
  lastBusyAt: number;
  #policy: ScalingPolicy;
  /** That a replica was seen to work on, or says that it has. */
  #seenSlots = 1;
  #at: number | undefined;
  readonly #ready = new ReplicaLog();
  #calmSince: number;

  constructor(policy: ScalingPolicy, start: { readonly now: number; readonly replicas: number }) {
    this.#policy = policy;
    this.coldStart = new ColdStart(policy.coldStartMs);
    this.recommendations = new Stabilizer(start.now, start.replicas);
    this.dataSince = start.now;
    this.lastBusyAt = start.now;
    this.#ready.record(start.now, start.replicas, KEPT_MS);
    this.#calmSince = start.now;
  }

  /** Other wishes of the owner: what was learnt stays. */
  change(policy: ScalingPolicy): void {
    const { metric, latencyMs } = this.#policy.objective;
    this.#policy = policy;
    this.coldStart.given = policy.coldStartMs;
    // What was late by another measure says nothing.
    if (policy.objective.metric !== metric || policy.objective.latencyMs !== latencyMs) this.#calmSince = this.#at ?? 0;
  }

  get target(): Target {
    const { metric, latencyMs } = this.#policy.objective;
    return { latencyMs, timedShare: metric === 'duration' ? 1 : FIRST_TOKEN_SHARE };
  }

  /** Able replicas, as they were seen last. */
  get ready(): number {
    return this.#ready.before(this.#at ?? 0, 0);
  }

  get model(): PodModel {
    const slots = Math.max(1, Math.min(MOST_SLOTS, Math.round(this.#policy.slotsPerReplica ?? this.#seenSlots)));
    return {
      aloneMs: this.service.aloneMs ?? this.target.latencyMs * GUESSED_SHARE,
      growth: slots > 1 ? this.service.growth : 0,
      slots,
      spread: this.sizes.spread,
    };
  }

  /** From a change of the load until a pod that it calls for answers. */
  get horizonMs(): number {
    return this.coldStart.ms + LAG_MS + this.#policy.periodMs;
  }

  observe(observation: Observation, now: number): void {
    const facts = factsOf(observation);
    const { spec, ready, startingAgesMs } = observation.replicas;
    const elapsed = this.#at === undefined ? this.#policy.periodMs : Math.max(0, now - this.#at);
    this.#at = now;
    this.replicas.record(now, spec, KEPT_MS);
    this.coldStart.observe(ready, startingAgesMs, now);
    // Nobody looked for a while, because the target could not be read or the process stood still: as blind as without data.
    const isGap = elapsed > GAP_PERIODS * this.#policy.periodMs;
    if (isGap) {
      this.dataSince = now;
      this.recovering = true;
    }
    if (facts.state !== 'present' || facts.partial) {
      this.dataSince = Number.POSITIVE_INFINITY;
      this.recovering = true;
    } else this.dataSince = Math.min(this.dataSince, now);
    if (facts.state !== 'present') {
      this.failures += 1;
      return;
    }
    this.failures = 0;
    if (facts.rates.some(({ perSecond }) => perSecond > 0) || (facts.waiting ?? 0) > 0 || (facts.running ?? 0) > 0) {
      this.lastBusyAt = now;
    }
    if (elapsed === 0) return;
    this.arrivals.observe(facts.rates, now);
    this.bursts.observe(this.arrivals.perSecond, this.horizonMs, now);
    this.#learnSlots(facts, ready);
    this.#noteCalm(facts, observation.replicas, now);
    this.#ready.record(now, ready, KEPT_MS);
    // A mean over a window says something about these replicas only if they were the same all through it.
    const windowMs = Math.max(...facts.rates.map((rate) => rate.windowMs), facts.badShares[0]?.windowMs ?? 0);
    const isCalm = now - this.#calmSince >= windowMs;
    this.#learnService(facts, this.#ready.mean(now, windowMs), elapsed, isCalm ? 1 : ROUGH);
    if (isCalm && ready > 0) this.#learnSizes(facts, ready, elapsed);
  }

  #noteCalm(facts: Facts, { ready, startingAgesMs }: Observation['replicas'], now: number): void {
    const isSettled = ready === this.#ready.before(now, 0) && startingAgesMs.length === 0;
    const isCalm = isSettled && this.arrivals.isSteady && (facts.waiting ?? 0) <= ready;
    if (!isCalm) this.#calmSince = now;
  }

  #learnSlots({ running, slots }: Facts, ready: number): void {
    const atOnce = ready > 0 && running !== undefined ? Math.ceil(running / ready) : 0;
    this.#seenSlots = slots ?? Math.max(this.#seenSlots, atOnce);
  }

  #learnService(facts: Facts, ready: number, elapsedMs: number, worth: number): void {
    const { completionsPerSecond, serviceMs, running } = facts;
    if (completionsPerSecond === undefined || serviceMs === undefined || !(ready > 0)) return;
    const { slots } = this.model;
    const inPods = (completionsPerSecond * serviceMs) / 1_000;
    this.working.observe(running ?? inPods, inPods, ready * slots, elapsedMs);
    const { share } = this.working;
    const requests = (worth * completionsPerSecond * elapsedMs) / 1_000;
    this.service.observe(serviceMs * share, (inPods * share) / ready, slots, requests, elapsedMs);
  }

  /** While nothing changes and no queue stands: what takes long then does because of the sizes, not of a lack of pods. */
  #learnSizes(facts: Facts, ready: number, elapsedMs: number): void {
    const { badShares, rates, serviceMs, serviceP95Ms, waiting } = facts;
    if (waiting === undefined || !this.service.known) return;
    const { model, target } = this;
    const perSecond = rates.at(-1)?.perSecond ?? 0;
    const requests = (perSecond * elapsedMs) / 1_000;
    const late = (spread: number) => lateShare({ ...model, spread }, target, perSecond, ready);
    if (late(model.spread) > MOST_LATE) return;
    const bad = badShares[0];
    if (bad !== undefined) this.sizes.observe(bad.share, late, requests, elapsedMs);
    if (serviceMs === undefined || serviceP95Ms === undefined || this.working.share < MOSTLY_WORKING) return;
    const share = shareAbove(serviceP95Ms, serviceMs, target.latencyMs);
    const atOnce = (perSecond * serviceMs) / 1_000 / ready;
    if (share === undefined) return;
    const slow = (spread: number) => share(deviationAt({ ...model, spread }, atOnce, ready));
    this.sizes.observe(0.05, slow, requests, elapsedMs);
  }
}
