/** Which pods are there? They are made, get ready, crash, are drained and go, as a Deployment and its ReplicaSet would have it; each costs all the while. */
import type { EventHeap } from './event-heap.ts';
import { EVENTS } from './events.ts';
import type { PodOptions } from './options.ts';
import { Pod } from './pod.ts';
import { exponential, normal } from './random.ts';
import { progressRates } from './service-curve.ts';

const HOUR_MS = 3_600_000;

export class Fleet {
  /** Able ones, in the order of their ids. */
  readonly ready: Pod[] = [];
  /** What the target is told to have. */
  spec = 0;
  readonly #pods: Pod[] = [];
  #starting: Pod[] = [];
  readonly #draining = new Set<Pod>();
  readonly #options: PodOptions;
  readonly #rates: Float64Array;
  readonly #proxies: number;
  readonly #heap: EventHeap;
  readonly #random: () => number;
  #costMs = 0;
  #costedAt = 0;

  constructor(parts: { options: PodOptions; proxies: number; heap: EventHeap; random: () => number }) {
    this.#options = parts.options;
    this.#rates = progressRates(parts.options.curve, parts.options.slots);
    this.#proxies = parts.proxies;
    this.#heap = parts.heap;
    this.#random = parts.random;
  }

  get starting(): readonly Pod[] {
    return this.#starting;
  }

  /** Those that are and cost: starting, able, and on their way out. */
  get existing(): number {
    return this.#starting.length + this.ready.length + this.#draining.size;
  }

  /** All that still work. */
  *working(): Iterable<Pod> {
    yield* this.ready;
    yield* this.#draining;
  }

  pod(id: number): Pod {
    return this.#pods[id]!;
  }

  /** Milliseconds of all pods together, from the start to now. */
  costMs(now: number): number {
    this.#costMs += this.existing * (now - this.#costedAt);
    this.#costedAt = now;
    return this.#costMs;
  }

  /** Pods that are able from the beginning. */
  begin(replicas: number, now: number): void {
    this.spec = replicas;
    for (let i = 0; i < replicas; i++) this.#becomeReady(this.#create(now), now);
  }

  /** Makes or removes pods. Of those that go, the ones that start go first, then the youngest (as the ReplicaSet controller ranks them). */
  scaleTo(replicas: number, now: number): void {
    this.costMs(now);
    this.spec = replicas;
    while (this.#starting.length + this.ready.length < replicas) this.#startOne(now);
    while (this.#starting.length + this.ready.length > replicas) {
      const pod = this.#starting.pop() ?? this.ready.pop()!;
      if (pod.state === 'ready' && !pod.isIdle) {
        pod.state = 'draining';
        this.#draining.add(pod);
      } else pod.state = 'gone';
    }
  }

  /** @returns whether it is able now: it may have gone meanwhile, or have crashed */
  becomesReady(pod: Pod, life: number, now: number): boolean {
    if (pod.state !== 'starting' || pod.life !== life) return false;
    this.#starting = this.#starting.filter((other) => other !== pod);
    this.#becomeReady(pod, now);
    return true;
  }

  /** A pod that is on its way out goes when it has nothing left to do. */
  release(pod: Pod, now: number): void {
    if (pod.state !== 'draining' || !pod.isIdle) return;
    this.costMs(now);
    pod.state = 'gone';
    this.#draining.delete(pod);
  }

  /** It starts again where it is. @returns the requests that it had, undefined where this crash was of an earlier life */
  crash(pod: Pod, life: number, now: number): number[] | undefined {
    if (pod.life !== life || (pod.state !== 'ready' && pod.state !== 'draining')) return undefined;
    const lost = pod.lose(now);
    pod.life += 1;
    if (pod.state === 'draining') {
      this.release(pod, now);
      return lost;
    }
    this.ready.splice(this.ready.indexOf(pod), 1);
    pod.state = 'starting';
    this.#starting.push(pod);
    this.#starting.sort((a, b) => a.id - b.id);
    this.#heap.push(now + this.#options.crashes!.restartMs, EVENTS.podReady, pod.id, pod.life);
    return lost;
  }

  #create(now: number): Pod {
    const { slow } = this.#options;
    const slowdown = slow !== undefined && this.#random() < slow.share ? slow.factor : 1;
    const pod = new Pod({
      id: this.#pods.length,
      createdAt: now,
      rates: this.#rates,
      slowdown,
      proxies: this.#proxies,
    });
    this.#pods.push(pod);
    return pod;
  }

  #startOne(now: number): void {
    const pod = this.#create(now);
    this.#starting.push(pod);
    const { stuckShare = 0 } = this.#options.coldStart;
    if (stuckShare > 0 && this.#random() < stuckShare) return;
    this.#heap.push(now + this.#coldStartMs(), EVENTS.podReady, pod.id, pod.life);
  }

  #coldStartMs(): number {
    const { readyMs, spread = 0, imagePull } = this.#options.coldStart;
    const pullMs = imagePull !== undefined && this.#random() < imagePull.share ? imagePull.ms : 0;
    return pullMs + (spread > 0 ? readyMs * Math.exp(spread * normal(this.#random)) : readyMs);
  }

  #becomeReady(pod: Pod, now: number): void {
    pod.state = 'ready';
    let index = this.ready.length;
    while (index > 0 && this.ready[index - 1]!.id > pod.id) index -= 1;
    this.ready.splice(index, 0, pod);
    const { crashes } = this.#options;
    if (crashes === undefined || crashes.perHour <= 0) return;
    const untilMs = (exponential(this.#random) * HOUR_MS) / crashes.perHour;
    this.#heap.push(now + untilMs, EVENTS.crash, pod.id, pod.life);
  }
}
