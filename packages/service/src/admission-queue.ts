/**
 * Who is let in, who is refused at once, and whose turn is next: a bounded queue, first come, first served. Pure: time is an argument.
 *
 * A deadline or a withdrawal only ever removes an entry. What cannot be done in time is refused when it comes, so that a server with
 * too much to do spends its time on what can be: a plain queue fills until everybody gets a turn just when it is too late. In time is
 * by the deadline, or by the objective where that is sooner: a queue of late answers helps nobody, and lasts long after its cause.
 *
 * Estimates may be wrong, above all after a slow phase. So one refuses a request only while others wait, gives a turn away only to
 * others who wait, and is forgotten when it is old. Whoever finds the line empty is let in, the last in line is served, and either
 * corrects the estimates: no error in them can last.
 */
import { DrainEstimate } from './drain-estimate.ts';

export interface AdmissionLimits {
  /** Requests that may wait; with 0 a request is served at once or refused. */
  readonly requests: number;
  /** Tokens of those that wait, in sum. */
  readonly tokens: number;
  /** Requests that may be served at once; `resize` changes it. */
  readonly window: number;
  /**
   * How long an answer is worth waiting for where its deadline is later, in milliseconds: a request that is not expected to be done by then
   * is refused when it comes. Where service alone takes longer, a short line is kept. Infinity: the deadline alone counts.
   */
  readonly objectiveMs: number;
  /** Whether estimates refuse what cannot be done in time; else only the limits do, and deadlines that have passed. */
  readonly refusesEarly: boolean;
}

/** Times are milliseconds of one clock, whichever it is. */
export interface Admission<Holder> {
  /** What the request is likely to cost. */
  readonly tokens: number;
  /** Infinity where there is no deadline. */
  readonly deadlineAt: number;
  /** Whom the ticket is for: the queue only keeps it. */
  readonly holder: Holder;
}

export type Ticket<Holder> = Admission<Holder>;

/** `deadline`: it could not be done in time now, and later it can. */
export interface Refusal {
  readonly reason: 'requests' | 'tokens' | 'deadline';
  /** When those who wait now will have had their turn, from 1 to 60 seconds; 1 while nothing is known. */
  readonly retryAfterSeconds: number;
}

export type Entered<Holder> =
  | { readonly admitted: true; readonly ticket: Ticket<Holder> }
  | { readonly admitted: false; readonly refusal: Refusal };

/** A ticket that has left the line: its turn has come, or it is too late for it. A late one is gone and need not leave. */
export interface Taken<Holder> {
  readonly ticket: Ticket<Holder>;
  readonly late: boolean;
}

const MAX_RETRY_AFTER_SECONDS = 60;

/**
 * Of the times of service: who comes must have time for a slow one. Under overload the line is always as long as this lets it be, so
 * with the median half of all turns would come too late (the simulation in overload.spec.ts).
 */
const ENTRY_QUANTILE = 0.95;

/**
 * Of the time that an answer is worth waiting for. Under overload everybody who is let in is expected just within what is allowed: without
 * a reserve, half of them would be too late on a machine whose pace varies. A shorter line costs nothing as long as there is one.
 */
const EXPECTED_SHARE = 0.75;

/** Who has waited to the turn is given up only if not even a fast service would do. */
const TURN_QUANTILE = 0.3;

interface Entry<Holder> extends Ticket<Holder> {
  state: 'waiting' | 'running' | 'gone';
  takenAt: number;
  previous: Entry<Holder> | undefined;
  next: Entry<Holder> | undefined;
}

/** After each `enter` and `leave` the owner calls `takeNext` until it gives nothing. Every operation takes constant time. */
export class AdmissionQueue<Holder> {
  readonly #limits: AdmissionLimits;
  readonly #estimate = new DrainEstimate();
  #window: number;
  #first: Entry<Holder> | undefined;
  #last: Entry<Holder> | undefined;
  #waiting = 0;
  #waitingTokens = 0;
  #running = 0;
  /** When the window became full, and when it last had room again. */
  #fullSince = Number.POSITIVE_INFINITY;
  #openedAt = Number.NEGATIVE_INFINITY;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.#window = limits.window;
  }

  /** More or fewer may be served at once from now on; who is served already stays. */
  resize(window: number): void {
    this.#window = window;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get waitingTokens(): number {
    return this.#waitingTokens;
  }

  get running(): number {
    return this.#running;
  }

  /** For whom those that wait do, in their order. */
  holders(): Holder[] {
    const holders: Holder[] = [];
    for (let entry = this.#first; entry !== undefined; entry = entry.next) holders.push(entry.holder);
    return holders;
  }

  /** Puts a request at the end of the line, or says why not. */
  enter(admission: Admission<Holder>, now: number): Entered<Holder> {
    const reason = this.#reasonToRefuse(admission, now);
    if (reason !== undefined) {
      return { admitted: false, refusal: { reason, retryAfterSeconds: this.#retryAfterSeconds() } };
    }
    const entry: Entry<Holder> = { ...admission, state: 'waiting', takenAt: 0, previous: this.#last, next: undefined };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#waiting += 1;
    this.#waitingTokens += entry.tokens;
    return { admitted: true, ticket: entry };
  }

  /** Takes the first out of the line if there is room for one more; undefined when there is none, or nobody waits. */
  takeNext(now: number): Taken<Holder> | undefined {
    const entry = this.#first;
    if (entry === undefined || this.#running >= this.#window) return undefined;
    this.#unlink(entry);
    if (this.#isLate(entry, now)) {
      entry.state = 'gone';
      return { ticket: entry, late: true };
    }
    entry.state = 'running';
    entry.takenAt = now;
    this.#running += 1;
    // Refilled in the instant in which it opened, the window was full all the time.
    if (this.#running === this.#window && now !== this.#openedAt) this.#fullSince = now;
    return { ticket: entry, late: false };
  }

  /**
   * A request leaves: from the line, or from being served. Doing it again has no effect.
   * @param how `done`: it was served to the end; `gone`: it was withdrawn or failed, wherever it was
   */
  leave(ticket: Ticket<Holder>, how: 'done' | 'gone', now: number): void {
    const entry = ticket as Entry<Holder>;
    if (entry.state === 'waiting') this.#unlink(entry);
    else if (entry.state === 'running') this.#depart(entry, how, now);
    entry.state = 'gone';
  }

  #depart(entry: Entry<Holder>, how: 'done' | 'gone', now: number): void {
    const full = this.#running >= this.#window;
    if (full) this.#openedAt = now;
    this.#running -= 1;
    this.#estimate.departed(now, full || now === this.#openedAt ? this.#fullSince : undefined, this.#window);
    this.#estimate.served(now, now - entry.takenAt, how === 'done');
  }

  #unlink(entry: Entry<Holder>): void {
    if (entry.previous === undefined) this.#first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    // A ticket that is kept must not keep those that once stood beside it.
    entry.previous = undefined;
    entry.next = undefined;
    this.#waiting -= 1;
    this.#waitingTokens -= entry.tokens;
  }

  #reasonToRefuse({ tokens, deadlineAt }: Admission<Holder>, now: number): Refusal['reason'] | undefined {
    const { requests, tokens: maxTokens, refusesEarly } = this.#limits;
    const window = this.#window;
    if (this.#running + this.#waiting < window) return undefined;
    if (this.#waiting >= requests) return 'requests';
    if (this.#waitingTokens + tokens > maxTokens) return 'tokens';
    if (!refusesEarly || this.#waiting === 0) return undefined;
    const { intervalMs } = this.#estimate;
    const lately = this.#estimate.freshServiceMs(ENTRY_QUANTILE, now);
    if (intervalMs === undefined || lately === undefined) return undefined;
    // Little's law: in a full window service takes at least so long, however fast it was in one that was not full.
    const serviceMs = Math.max(lately, window * intervalMs);
    const expectedMs = (this.#waiting + 1) * intervalMs + serviceMs;
    const worthMs = Math.min(deadlineAt - now, this.#worthMs(serviceMs));
    return expectedMs > EXPECTED_SHARE * worthMs ? 'deadline' : undefined;
  }

  /** Where service takes longer than the objective no answer can meet it, and refusing all that waits would help nobody. */
  #worthMs(serviceMs: number): number {
    const { objectiveMs } = this.#limits;
    return serviceMs <= objectiveMs ? objectiveMs : 2 * serviceMs;
  }

  #isLate({ deadlineAt }: Entry<Holder>, now: number): boolean {
    if (deadlineAt <= now) return true;
    if (!this.#limits.refusesEarly || this.#waiting === 0) return false;
    return now + (this.#estimate.freshServiceMs(TURN_QUANTILE, now) ?? 0) > deadlineAt;
  }

  #retryAfterSeconds(): number {
    const drainedMs = (this.#waiting + 1) * (this.#estimate.intervalMs ?? 0);
    return Math.min(Math.max(1, Math.ceil(drainedMs / 1000)), MAX_RETRY_AFTER_SECONDS);
  }
}
