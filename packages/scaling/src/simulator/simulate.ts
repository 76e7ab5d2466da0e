/** How does a way of scaling do under a load? Arrivals, proxies, pods, Prometheus and the scaler, event by event. */
import { EventHeap } from './event-heap.ts';
import { EVENTS } from './events.ts';
import { Fleet } from './fleet.ts';
import { Monitor } from './monitor.ts';
import type { SimulatedObservation, SimulatedScaler, SimulationOptions } from './options.ts';
import { seededRandom } from './random.ts';
import type { Change, SimulationResult, TimelineSample } from './result.ts';
import { worksOf } from './sizes.ts';
import { Traffic } from './traffic.ts';

/** Of `seededRandom`: what one of them draws never moves another. */
export const STREAMS = { arrivals: 0, sizes: 1, fleet: 2, proxies: 3 } as const;

/**
 * The load is watched until its `durationMs`: cost, timeline and decisions end there. What arrived until then is worked off by the pods that are
 * there, and counts. @throws RangeError naming what cannot be simulated
 */
export function simulate(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #heap = new EventHeap();
  readonly #fleet: Fleet;
  readonly #traffic: Traffic;
  readonly #monitor: Monitor;
  readonly #horizonMs: number;
  #scaler: SimulatedScaler;
  #scalerVersion = 0;
  #now = 0;
  #maxReplicas: number;
  #decisions = 0;
  readonly #changeTimesMs: number[] = [];
  readonly #log: Change[] = [];
  readonly #timeline: TimelineSample[] = [];
  #sampledArrivals = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, proxies, pods, metrics } = options;
    const arrivals =
      typeof options.arrivals === 'function'
        ? options.arrivals(seededRandom(seed, STREAMS.arrivals))
        : options.arrivals;
    this.#horizonMs = arrivals.durationMs;
    this.#monitor = new Monitor(metrics);
    this.#fleet = new Fleet({
      options: pods,
      proxies: proxies.count,
      heap: this.#heap,
      random: seededRandom(seed, STREAMS.fleet),
    });
    this.#traffic = new Traffic({
      options: proxies,
      objectiveMs: options.objectiveMs,
      slots: pods.slots,
      arrivals: arrivals.timesMs,
      works: worksOf(arrivals, pods, seededRandom(seed, STREAMS.sizes)),
      fleet: this.#fleet,
      heap: this.#heap,
      random: seededRandom(seed, STREAMS.proxies),
    });
    this.#fleet.begin(options.initialReplicas, 0);
    this.#maxReplicas = options.initialReplicas;
    this.#scaler = options.scaler({ now: 0, replicas: options.initialReplicas });
    this.#schedule();
  }

  run(): SimulationResult {
    let result: SimulationResult | undefined;
    for (;;) {
      const arrivalAt = this.#traffic.nextAt;
      const at = Math.min(arrivalAt, this.#heap.nextAt);
      if (result === undefined && at >= this.#horizonMs) {
        this.#now = this.#horizonMs;
        this.#traffic.count(this.#now);
        result = this.#watched();
      }
      if (result !== undefined && this.#traffic.inSystem === 0) break;
      if (at === Number.POSITIVE_INFINITY) break;
      this.#now = at;
      // What ends at a time ends before something else begins at it.
      if (this.#heap.nextAt <= arrivalAt) {
        this.#heap.pop();
        this.#happen(result !== undefined);
      } else this.#traffic.arrive(at);
    }
    return { ...result!, ...this.#fared() };
  }

  #schedule(): void {
    const { metrics, controllerRestartsMs, sampleIntervalMs, proxies } = this.#options;
    const heap = this.#heap;
    heap.push(0, EVENTS.scrape);
    heap.push(this.#scaler.periodMs, EVENTS.decide, 0, 0);
    if (sampleIntervalMs > 0) heap.push(sampleIntervalMs, EVENTS.sample);
    for (const at of controllerRestartsMs) heap.push(at, EVENTS.controllerRestart);
    for (const at of proxies.restartsMs) heap.push(at, EVENTS.proxyRestart);
    for (const { kind, toMs } of metrics.outages) if (kind === 'lost') heap.push(toMs, EVENTS.databaseLost);
  }

  #happen(isOver: boolean): void {
    const { at, kind, subject, version } = this.#heap;
    if (kind === EVENTS.podDone) this.#traffic.podDone(this.#fleet.pod(subject), version, at);
    else if (kind === EVENTS.podReady) this.#traffic.podReady(this.#fleet.pod(subject), version, at);
    else if (kind === EVENTS.crash) this.#traffic.crash(this.#fleet.pod(subject), version, at);
    else if (kind === EVENTS.deadline) this.#traffic.expire(subject, at);
    else if (isOver) return;
    else if (kind === EVENTS.scrape) this.#scrape();
    else if (kind === EVENTS.decide) this.#decide(version);
    else if (kind === EVENTS.sample) this.#sample();
    else if (kind === EVENTS.controllerRestart) this.#restartController();
    else if (kind === EVENTS.databaseLost) this.#monitor.loseData();
    else this.#restartProxy();
  }

  #scrape(): void {
    this.#monitor.scrape(this.#now, this.#traffic.proxies, {
      ...this.#traffic.counts(),
      pods: this.#fleet.ready.length,
      slotsPerPod: this.#options.pods.slots,
    });
    this.#heap.push(this.#now + this.#options.metrics.scrapeIntervalMs, EVENTS.scrape);
  }

  #decide(version: number): void {
    if (version !== this.#scalerVersion) return;
    this.#heap.push(this.#now + this.#scaler.periodMs, EVENTS.decide, 0, version);
    const fleet = this.#fleet;
    const { replicas, reason, terms } = this.#scaler.decide(this.#observe(), this.#now);
    if (!(Number.isInteger(replicas) && replicas >= 0)) throw new RangeError(`a scaler asked for ${replicas} replicas`);
    this.#decisions += 1;
    if (replicas === fleet.spec) return;
    this.#changeTimesMs.push(this.#now);
    if (this.#options.keepDecisions) {
      this.#log.push({ atMs: this.#now, from: fleet.spec, to: replicas, reason, terms });
    }
    fleet.scaleTo(replicas, this.#now);
    this.#maxReplicas = Math.max(this.#maxReplicas, replicas);
  }

  #observe(): SimulatedObservation {
    this.#traffic.count(this.#now);
    const { spec, ready, starting } = this.#fleet;
    const counts = this.#traffic.counts();
    return {
      ...this.#monitor.measure(this.#now),
      replicas: {
        spec,
        ready: ready.length,
        startingAgesMs: starting.map(({ createdAt }) => this.#now - createdAt),
      },
      exact: {
        waiting: counts.waitingInProxies + counts.waitingInPods,
        running: counts.running,
        inSystemMs: this.#traffic.inSystemMs,
        arrivals: this.#traffic.arrived,
      },
    };
  }

  #restartController(): void {
    this.#scaler = this.#options.scaler({ now: this.#now, replicas: this.#fleet.spec });
    this.#scalerVersion += 1;
    this.#heap.push(this.#now + this.#scaler.periodMs, EVENTS.decide, 0, this.#scalerVersion);
  }

  #restartProxy(): void {
    const { counters } = this.#traffic.proxies[0]!;
    for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] = 0;
  }

  #sample(): void {
    const { sampleIntervalMs } = this.#options;
    this.#heap.push(this.#now + sampleIntervalMs, EVENTS.sample);
    const { waitingInProxies, waitingInPods, running } = this.#traffic.counts();
    const { p95Ms, bad } = this.#traffic.accounts.takeWindow();
    this.#timeline.push({
      atMs: this.#now,
      arrivalRate: ((this.#traffic.arrived - this.#sampledArrivals) * 1000) / sampleIntervalMs,
      waiting: waitingInProxies + waitingInPods,
      running,
      desired: this.#fleet.spec,
      ready: this.#fleet.ready.length,
      existing: this.#fleet.existing,
      p95Ms,
      bad,
    });
    this.#sampledArrivals = this.#traffic.arrived;
  }

  /** What ends with the load, at the horizon. */
  #watched(): SimulationResult {
    const replicaSeconds = this.#fleet.costMs(this.#now) / 1000;
    return {
      ...this.#fared(),
      replicaSeconds,
      meanReplicas: (replicaSeconds * 1000) / this.#horizonMs,
      maxReplicas: this.#maxReplicas,
      changes: this.#changeTimesMs.length,
      changeTimesMs: this.#changeTimesMs,
      decisions: this.#decisions,
      meanInSystem: this.#traffic.inSystemMs / this.#horizonMs,
      timeline: this.#timeline,
      log: this.#log,
      bad: this.#options.keepOutcomes ? this.#traffic.bad : new Uint8Array(),
    };
  }

  /** What is known when all requests have ended. */
  #fared() {
    const { counts, late, violations, waited, waitMs } = this.#traffic.accounts;
    const requests = this.#traffic.bad.length;
    return {
      requests,
      good: requests - violations,
      violations,
      late,
      refused: counts.refused,
      expired: counts.expired,
      failed: counts.failed,
      violationShare: requests === 0 ? 0 : violations / requests,
      latencyMs: this.#traffic.accounts.latencies(),
      waitedShare: counts.answered === 0 ? 0 : waited / counts.answered,
      meanWaitMs: counts.answered === 0 ? 0 : waitMs / counts.answered,
    };
  }
}
