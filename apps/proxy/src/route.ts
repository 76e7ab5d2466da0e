/** One route: its pods, and the line of those who wait for one. */

import type { RecentQuantile } from '@ragscale/balancing/recent-quantile';
import type { RetryBudget } from '@ragscale/balancing/retry-budget';
import { type AdmissionLimits, AdmissionQueue, type Refusal, type Ticket } from '@ragscale/service/admission-queue';
import type { Endpoint } from './endpoint.ts';
import type { EndpointGroup } from './endpoint-group.ts';

/** A request as the line knows it. */
export interface Waiter {
  /** Of a client that wants the same pod again. */
  readonly stickyKey: string | undefined;
  /** Pods that it was with already. */
  readonly tried: readonly Endpoint[];
  /** Its turn has come. */
  assigned(endpoint: Endpoint): void;
  /** Its turn would come too late. */
  late(): void;
  /** Nobody is left to wait for. */
  hopeless(): void;
}

export interface RouteParts {
  readonly name: string;
  /** Its share of the requests that name no route. */
  readonly weight: number;
  readonly group: EndpointGroup;
  readonly limits: Omit<AdmissionLimits, 'window'>;
  readonly retries: RetryBudget;
  readonly hedges: RetryBudget;
  /** Times until pods began to answer, in milliseconds. */
  readonly beginnings: RecentQuantile;
}

export class Route {
  readonly name: string;
  readonly weight: number;
  readonly group: EndpointGroup;
  readonly retries: RetryBudget;
  readonly hedges: RetryBudget;
  readonly beginnings: RecentQuantile;
  readonly #line: AdmissionQueue<Waiter>;
  /** Those who wait for another try: they have had their turn, and come first. */
  readonly #again = new Set<Waiter>();
  #pumping = false;
  #pumpAgain = false;

  constructor({ name, weight, group, limits, retries, hedges, beginnings }: RouteParts) {
    this.name = name;
    this.weight = weight;
    this.group = group;
    this.retries = retries;
    this.hedges = hedges;
    this.beginnings = beginnings;
    this.#line = new AdmissionQueue({ ...limits, window: 0 });
  }

  /** Requests that wait for a pod, for the first time or again. */
  get waiting(): number {
    return this.#line.waiting + this.#again.size;
  }

  /** Requests that are with a pod. */
  get inFlight(): number {
    return this.#line.running - this.#again.size;
  }

  /** Puts a request in the line; its turn may come before this returns. @returns the ticket, or why it was refused */
  enter(waiter: Waiter, bytes: number, deadlineAt: number, now: number): Ticket<Waiter> | Refusal {
    this.#fit();
    const entered = this.#line.enter({ tokens: bytes, deadlineAt, holder: waiter }, now);
    if (!entered.admitted) return entered.refusal;
    return entered.ticket;
  }

  /** It has had its turn and wants another pod. */
  again(waiter: Waiter): void {
    this.#again.add(waiter);
  }

  /** It is done, or wants no more, wherever it was. To be called before its endpoint has room again. */
  leave(ticket: Ticket<Waiter>, how: 'done' | 'gone', now: number): void {
    this.#fit();
    this.#again.delete(ticket.holder);
    this.#line.leave(ticket, how, now);
  }

  /** Gives pods to those whose turn it is. To be called whenever there may be room. */
  pump(now: number): void {
    // A turn can end at once and ask for the next: that one is given by the same loop, not within it.
    this.#pumpAgain = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.#pumpOnce(now);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #pumpOnce(now: number): void {
    if (this.group.hopeless) this.#sendAllAway();
    for (const waiter of this.#again) {
      if (this.group.free === 0) break;
      const endpoint = this.group.pick(waiter.stickyKey, waiter.tried);
      if (endpoint === undefined) continue;
      this.#again.delete(waiter);
      waiter.assigned(endpoint);
    }
    while (this.#line.waiting > 0) {
      this.#fit();
      const taken = this.#line.takeNext(now);
      if (taken === undefined) return;
      const waiter = taken.ticket.holder;
      if (taken.late) {
        waiter.late();
        continue;
      }
      const endpoint = this.group.pick(waiter.stickyKey, waiter.tried);
      if (endpoint === undefined) this.#again.add(waiter);
      else waiter.assigned(endpoint);
    }
  }

  /** The window is what runs and what could: pods come, go and fill up by other ways than the line's. */
  #fit(): void {
    this.#line.resize(this.#line.running + this.group.free);
  }

  #sendAllAway(): void {
    for (const waiter of [...this.#again, ...this.#line.holders()]) waiter.hopeless();
  }
}
