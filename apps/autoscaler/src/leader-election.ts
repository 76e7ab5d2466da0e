/**
 * Which one of several processes decides? Whoever holds the Lease, and only as long as nobody else can have taken it.
 *
 * The holder renews it every 2 s or so, and believes in it for 10 s from the moment it *sent* the last renewal that was answered. Others take
 * it when they have *seen* no change for 15 s by their own clock, which began after that moment. So between the one who stops and the next
 * lie 5 s, whatever answers were lost and whoever slept, unless a clock runs half as fast again as another. Nobody compares times of day.
 */
import { uptime } from 'node:os';
import { type Clock, realClock } from '@ragscale/service/clock';
import type { Leadership } from './leadership.ts';
import { type Lease, LeaseConflictError, type LeaseSpec, type LeaseStore, microTime } from './lease.ts';

/** Those of Kubernetes' own controllers. */
export const LEASE_MS = 15_000;
export const RENEW_DEADLINE_MS = 10_000;
export const RETRY_MS = 2_000;
/** Of the pause, drawn anew each time, so that nobody asks in step. */
const JITTER = 0.2;
/** Of one request: two of them fit before the deadline. */
const REQUEST_TIMEOUT_MS = 4_000;
/** Somebody who ends does not wait longer for the Lease to be given back. */
const RELEASE_TIMEOUT_MS = 3_000;

/** Unlike `performance.now()` it goes on while the machine is suspended; while the process is stopped both do. */
export const uptimeClock: Clock = { now: () => uptime() * 1_000, sleep: realClock.sleep };

export interface LeaderElectionOptions {
  readonly store: LeaseStore;
  /** Of this process, and of no other that there ever was. */
  readonly identity: string;
  /** @param holder who has the Lease as far as is known; undefined: nobody */
  onChange(isLeader: boolean, holder: string | undefined): void;
  /** An attempt failed; another follows soon. `failures` counts those in a row. */
  onTrouble(error: unknown, failures: number): void;
  /** An attempt succeeded after there was trouble. */
  onRecovered(): void;
  readonly clock?: Clock;
  /** Milliseconds since the epoch, for people who read the Lease. */
  readonly wallNow?: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export class LeaderElection implements Leadership {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  /** As it was read or written last. */
  #lease: Lease | undefined;
  #seenAt = 0;
  /** Until when this process may believe that it leads. */
  #until = Number.NEGATIVE_INFINITY;
  /** Renewals sent before do not make a leader: see `#see`. */
  #notBefore = Number.NEGATIVE_INFINITY;
  #expiry = new AbortController();
  #told = '';
  #failures = 0;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? uptimeClock;
  }

  remainingMs(): number {
    return this.#until - this.#clock.now();
  }

  /** Takes part from now on. */
  start(): void {
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** Leads no more. The next one may take the Lease at once, if it can be given back. Whatever is decided must be over before. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    const wasLeading = this.remainingMs() > 0;
    this.#lead(Number.NEGATIVE_INFINITY);
    if (wasLeading) await this.#giveBack();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const random = this.#options.random ?? Math.random;
    while (!signal.aborted) {
      try {
        await this.#within(REQUEST_TIMEOUT_MS, signal, (limited) => this.#attempt(limited));
        if (this.#failures > 0) this.#options.onRecovered();
        this.#failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        this.#options.onTrouble(error, this.#failures);
      }
      this.#tell();
      await this.#clock.sleep(RETRY_MS * (1 + random() * JITTER), signal);
    }
  }

  /** Renews what is held, or looks whether it can be taken. */
  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      if (this.#lease !== undefined && this.#isOurs(this.#lease)) return await this.#replace(this.#lease, signal);
      await this.#read(signal);
      await this.#takeIfFree(signal);
    } catch (error) {
      if (!(error instanceof LeaseConflictError)) throw error;
      await this.#read(signal);
      // A renewal whose answer was lost looks like somebody else's at first.
      if (this.#lease === undefined || this.#isOurs(this.#lease)) await this.#takeIfFree(signal);
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    const lease = await this.#options.store.read(signal);
    signal.throwIfAborted();
    this.#see(lease);
  }

  async #takeIfFree(signal: AbortSignal): Promise<void> {
    if (this.#lease === undefined) await this.#create(signal);
    else if (this.#isFree(this.#lease)) await this.#replace(this.#lease, signal);
  }

  #isFree(lease: Lease): boolean {
    const { holderIdentity, leaseDurationSeconds = 0 } = lease.spec;
    if (holderIdentity === '' || this.#isOurs(lease)) return true;
    return this.#clock.now() - this.#seenAt >= Math.max(LEASE_MS, leaseDurationSeconds * 1_000);
  }

  async #replace(lease: Lease, signal: AbortSignal): Promise<void> {
    const sentAt = this.#clock.now();
    const written = await this.#options.store.replace(lease, this.#specAfter(lease.spec), signal);
    signal.throwIfAborted();
    this.#hold(written, sentAt);
  }

  async #create(signal: AbortSignal): Promise<void> {
    const sentAt = this.#clock.now();
    const written = await this.#options.store.create(this.#specAfter(undefined), signal);
    signal.throwIfAborted();
    this.#hold(written, sentAt);
  }

  #hold(written: Lease, sentAt: number): void {
    this.#see(written);
    if (sentAt >= this.#notBefore) this.#lead(sentAt + RENEW_DEADLINE_MS);
  }

  #specAfter(spec: LeaseSpec | undefined): LeaseSpec {
    const { identity, wallNow = Date.now } = this.#options;
    const now = microTime(wallNow());
    const isSame = spec?.holderIdentity === identity;
    const transitions = spec?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_MS / 1_000,
      acquireTime: (isSame && spec.acquireTime) || now,
      renewTime: now,
      leaseTransitions: spec === undefined || isSame ? transitions : transitions + 1,
    };
  }

  #see(lease: Lease | undefined): void {
    const before = this.#lease?.metadata;
    const now = this.#clock.now();
    if (lease?.metadata.resourceVersion !== before?.resourceVersion) this.#seenAt = now;
    this.#lease = lease;
    if (lease === undefined) return;
    const isLeading = this.remainingMs() > 0;
    if (!this.#isOurs(lease)) {
      // Somebody took it by force, such as an operator by hand.
      if (isLeading) this.#lead(Number.NEGATIVE_INFINITY);
      return;
    }
    // A new one tells nothing of whoever held the one that was deleted, and may still believe in it: its maker holds it first for as long
    // as others wait. Only who leads all the while need not.
    if (lease.metadata.uid !== before?.uid && !isLeading) this.#notBefore = now + LEASE_MS;
  }

  #isOurs({ spec }: Lease): boolean {
    return spec.holderIdentity === this.#options.identity;
  }

  #lead(until: number): void {
    this.#until = until;
    this.#expiry.abort();
    this.#expiry = new AbortController();
    const { signal } = this.#expiry;
    this.#tell();
    if (this.remainingMs() > 0) void this.#tellExpiry(signal);
  }

  async #tellExpiry(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.remainingMs() > 0) await this.#clock.sleep(this.remainingMs() + 1, signal);
    if (!signal.aborted) this.#tell();
  }

  #tell(): void {
    const isLeader = this.remainingMs() > 0;
    const holder = this.#lease?.spec.holderIdentity || undefined;
    const told = `${isLeader} ${holder}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#options.onChange(isLeader, holder);
  }

  async #giveBack(): Promise<void> {
    try {
      await this.#within(RELEASE_TIMEOUT_MS, new AbortController().signal, async (signal) => {
        // The last renewal may have arrived though its answer was lost.
        for (let lease = this.#lease; lease !== undefined && this.#isOurs(lease); lease = this.#lease) {
          try {
            this.#lease = await this.#options.store.replace(lease, { ...lease.spec, holderIdentity: '' }, signal);
          } catch (error) {
            if (!(error instanceof LeaseConflictError)) throw error;
            this.#lease = await this.#options.store.read(signal);
          }
        }
      });
    } catch (error) {
      this.#options.onTrouble(error, this.#failures + 1);
    }
  }

  /** @throws Error when it takes longer, with work that is told by its signal */
  async #within(ms: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const over = new AbortController();
    const limit = new AbortController();
    const limited = AbortSignal.any([signal, limit.signal]);
    void this.#clock.sleep(ms, over.signal).then(() => {
      limit.abort(new Error(`the API server did not answer within ${ms} ms`));
    });
    try {
      await work(limited);
    } finally {
      over.abort();
    }
  }
}
