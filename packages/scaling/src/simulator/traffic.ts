/** What becomes of each request? From its arrival through a proxy's line and a pod to its end, whichever it is. */
import { Accounts, type Outcome } from './accounts.ts';
import type { EventHeap } from './event-heap.ts';
import { EVENTS } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { ProxyOptions } from './options.ts';
import type { Pod } from './pod.ts';
import { SimulatedProxy } from './proxy.ts';

interface TrafficParts {
  readonly options: ProxyOptions;
  readonly objectiveMs: number;
  readonly slots: number;
  /** Of each request: when it comes, and how long it takes alone. */
  readonly arrivals: Float64Array;
  readonly works: Float64Array;
  readonly fleet: Fleet;
  readonly heap: EventHeap;
  /** Which proxy a client comes to. */
  readonly random: () => number;
}

export class Traffic {
  readonly proxies: readonly SimulatedProxy[];
  readonly accounts: Accounts;
  /** By request: 1 where it was not good. */
  readonly bad: Uint8Array;
  arrived = 0;
  inSystem = 0;
  /** Integral of `inSystem` until it was counted last. */
  inSystemMs = 0;
  readonly #options: ProxyOptions;
  readonly #arrivals: Float64Array;
  readonly #works: Float64Array;
  readonly #fleet: Fleet;
  readonly #heap: EventHeap;
  readonly #random: () => number;
  readonly #proxyOf: Uint8Array;
  readonly #tries: Uint8Array;
  readonly #sentAt: Float64Array;
  readonly #startedAt: Float64Array;
  #now = 0;
  #countedAt = 0;

  constructor({ options, objectiveMs, slots, arrivals, works, fleet, heap, random }: TrafficParts) {
    this.#options = options;
    this.#arrivals = arrivals;
    this.#works = works;
    this.#fleet = fleet;
    this.#heap = heap;
    this.#random = random;
    const count = arrivals.length;
    this.bad = new Uint8Array(count);
    this.#proxyOf = new Uint8Array(count);
    this.#tries = new Uint8Array(count);
    this.#sentAt = new Float64Array(count);
    this.#startedAt = new Float64Array(count);
    this.accounts = new Accounts({ objectiveMs, requests: count });
    const cap = options.podConcurrency ?? Math.ceil(slots / options.count) + 1;
    this.proxies = Array.from(
      { length: options.count },
      (_, index) => new SimulatedProxy({ index, spread: options.spread, cap, objectiveMs }),
    );
  }

  /** When the next request comes; Infinity after the last. */
  get nextAt(): number {
    return this.#arrivals[this.arrived] ?? Number.POSITIVE_INFINITY;
  }

  arrive(now: number): void {
    this.#now = now;
    const request = this.arrived++;
    const index = this.#options.count === 1 ? 0 : Math.floor(this.#random() * this.#options.count);
    const proxy = this.proxies[index]!;
    this.#proxyOf[request] = index;
    proxy.counters.arrivals += 1;
    const { maxQueued, deadlineMs } = this.#options;
    const pod = proxy.line.length === 0 ? proxy.pick(this.#fleet.ready) : undefined;
    if (pod === undefined && proxy.line.length >= maxQueued) {
      this.#lose(request, 'refused');
      return;
    }
    this.#countInSystem(1);
    if (pod !== undefined) {
      this.#send(request, pod);
      return;
    }
    proxy.line.append(request);
    this.#heap.push(this.#now + deadlineMs, EVENTS.deadline, index);
  }

  #send(request: number, pod: Pod): void {
    pod.inFlight[this.#proxyOf[request]!]! += 1;
    this.#sentAt[request] = this.#now;
    if (!pod.accept(request, this.#works[request]!, this.#now)) return;
    this.#startedAt[request] = this.#now;
    this.#expectDone(pod);
  }

  #expectDone(pod: Pod): void {
    pod.version += 1;
    const at = pod.nextDoneAt();
    if (at < Number.POSITIVE_INFINITY) this.#heap.push(at, EVENTS.podDone, pod.id, pod.version);
  }

  podDone(pod: Pod, version: number, now: number): void {
    if (version !== pod.version) return;
    this.#now = now;
    const request = pod.finish(this.#now);
    const started = pod.startNext(this.#works, this.#now);
    if (started >= 0) this.#startedAt[started] = this.#now;
    const index = this.#proxyOf[request]!;
    pod.inFlight[index]! -= 1;
    this.#answer(request, this.proxies[index]!);
    this.#expectDone(pod);
    if (pod.state === 'draining') this.#fleet.release(pod, this.#now);
    else this.#serveLines();
  }

  #answer(request: number, proxy: SimulatedProxy): void {
    const { counters } = proxy;
    const arrivedAt = this.#arrivals[request]!;
    proxy.answered(this.#now - this.#sentAt[request]!);
    counters.ended += 1;
    this.#countInSystem(-1);
    if (this.accounts.answered(this.#now - arrivedAt, this.#startedAt[request]! - arrivedAt)) return;
    counters.bad += 1;
    this.bad[request] = 1;
  }

  #lose(request: number, outcome: Exclude<Outcome, 'answered'>): void {
    const { counters } = this.proxies[this.#proxyOf[request]!]!;
    this.accounts.lost(outcome);
    counters.ended += 1;
    counters.bad += 1;
    this.bad[request] = 1;
  }

  /** Gives away what can be given: one that waits at each proxy in turn, so that none has all. */
  #serveLines(): void {
    for (let gave = true; gave; ) {
      gave = false;
      for (const proxy of this.proxies) {
        if (proxy.line.length === 0) continue;
        this.#expireLine(proxy);
        const pod = proxy.line.length > 0 ? proxy.pick(this.#fleet.ready) : undefined;
        if (pod === undefined) continue;
        this.#send(proxy.line.take(), pod);
        gave = true;
      }
    }
  }

  /** The deadline of one that waited at this proxy. */
  expire(index: number, now: number): void {
    this.#now = now;
    this.#expireLine(this.proxies[index]!);
  }

  /** All have the same deadline, and those that come back to the head have an earlier one: who is late stands in front. */
  #expireLine({ line }: SimulatedProxy): void {
    const { deadlineMs } = this.#options;
    while (line.length > 0 && this.#arrivals[line.first]! + deadlineMs <= this.#now) {
      this.#lose(line.take(), 'expired');
      this.#countInSystem(-1);
    }
  }

  podReady(pod: Pod, life: number, now: number): void {
    this.#now = now;
    if (!this.#fleet.becomesReady(pod, life, now)) return;
    this.#serveLines();
  }

  crash(pod: Pod, life: number, now: number): void {
    this.#now = now;
    const lost = this.#fleet.crash(pod, life, now);
    if (lost === undefined) return;
    const { maxTries } = this.#options;
    for (const request of lost.toReversed()) {
      const index = this.#proxyOf[request]!;
      this.#tries[request]! += 1;
      if (this.#tries[request]! < maxTries) {
        this.proxies[index]!.line.prepend(request);
        this.#heap.push(this.#arrivals[request]! + this.#options.deadlineMs, EVENTS.deadline, index);
        continue;
      }
      this.#lose(request, 'failed');
      this.#countInSystem(-1);
    }
    this.#serveLines();
  }

  counts(): { waitingInProxies: number; waitingInPods: number; running: number } {
    let [waitingInPods, running] = [0, 0];
    for (const pod of this.#fleet.working()) {
      waitingInPods += pod.waiting;
      running += pod.running;
    }
    return { waitingInProxies: this.proxies.reduce((sum, { line }) => sum + line.length, 0), waitingInPods, running };
  }

  /** Brings the integral up to date. */
  count(now: number): void {
    this.#now = now;
    this.#countInSystem(0);
  }

  #countInSystem(change: number): void {
    this.inSystemMs += this.inSystem * (this.#now - this.#countedAt);
    this.#countedAt = this.#now;
    this.inSystem += change;
  }
}
