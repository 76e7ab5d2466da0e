/** When a request has its turn: the admission queue with promises, signals and errors around it. */
import type { Embeddings } from '@ragscale/inference/engine-api';
import { DeadlineError } from '@ragscale/inference/errors';
import { type AdmissionLimits, AdmissionQueue, type Refusal, type Ticket } from '@ragscale/service/admission-queue';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { Call } from './answerer.ts';

/** What a client is told. */
const REFUSALS: Readonly<Record<Refusal['reason'], string>> = {
  requests: 'too many requests wait already',
  tokens: 'the requests that wait already have too many tokens',
  deadline: 'so many requests wait that no answer is expected in time',
};

/** What the operator bounds a line with. */
export type QueueLimits = Pick<AdmissionLimits, 'requests' | 'tokens'>;

interface Waiter {
  /** Resolves when the turn has come, with the time. */
  readonly turn: Promise<number>;
  readonly begin: (now: number) => void;
  readonly refuse: (error: Error) => void;
}

export interface TurnsOptions {
  readonly limits: AdmissionLimits;
  /** Called after each change. */
  readonly onChange?: (waiting: number, running: number) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export class Turns {
  readonly #queue: AdmissionQueue<Waiter>;
  readonly #onChange: (waiting: number, running: number) => void;
  readonly #now: () => number;

  constructor({ limits, onChange = () => {}, now = clock }: TurnsOptions) {
    this.#queue = new AdmissionQueue(limits);
    this.#onChange = onChange;
    this.#now = now;
  }

  get waiting(): number {
    return this.#queue.waiting;
  }

  get running(): number {
    return this.#queue.running;
  }

  /**
   * Does the work when it is its turn. A refusal waits for nothing. Who gives up while waiting is out of the line at once; no timer
   * looks after deadlines here, because the signal aborts at them.
   * @param tokens what the request is likely to cost
   * @param work given how long it waited, in milliseconds
   * @throws ServiceError queue_full, DeadlineError (at its turn it is too late), the signal's reason, and what the work throws
   */
  async take<T>(tokens: number, { signal, deadlineAt }: Call, work: (waitedMs: number) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const askedAt = this.#now();
    const ticket = this.#enter(tokens, deadlineAt, askedAt);
    const withdraw = (): void => {
      this.#leave(ticket, 'gone');
      ticket.holder.refuse(signal.reason);
    };
    signal.addEventListener('abort', withdraw, { once: true });
    this.#advance(askedAt);
    const begunAt = await ticket.holder.turn.finally(() => signal.removeEventListener('abort', withdraw));
    let how: 'done' | 'gone' = 'gone';
    try {
      const result = await work(begunAt - askedAt);
      how = 'done';
      return result;
    } catch (error) {
      // What withdrew the work says more than that the engine saw it withdrawn.
      throw signal.aborted ? signal.reason : error;
    } finally {
      this.#leave(ticket, how);
    }
  }

  #enter(tokens: number, deadlineAt: number, now: number): Ticket<Waiter> {
    const { promise: turn, resolve: begin, reject: refuse } = Promise.withResolvers<number>();
    const entered = this.#queue.enter({ tokens, deadlineAt, holder: { turn, begin, refuse } }, now);
    if (entered.admitted) return entered.ticket;
    const { reason, retryAfterSeconds } = entered.refusal;
    throw new ServiceError('queue_full', { detail: REFUSALS[reason] }, { retryAfterSeconds });
  }

  #leave(ticket: Ticket<Waiter>, how: 'done' | 'gone'): void {
    const now = this.#now();
    this.#queue.leave(ticket, how, now);
    this.#advance(now);
  }

  #advance(now: number): void {
    for (let taken = this.#queue.takeNext(now); taken !== undefined; taken = this.#queue.takeNext(now)) {
      const { begin, refuse } = taken.ticket.holder;
      if (taken.late) refuse(new DeadlineError('the deadline passes before this can be done'));
      else begin(now);
    }
    this.#onChange(this.#queue.waiting, this.#queue.running);
  }
}

/** Vectors whose request has waited before it came to the engine. */
export function afterWaiting({ timing, ...embeddings }: Embeddings, waitedMs: number): Embeddings {
  return { ...embeddings, timing: { ...timing, queueMs: waitedMs + timing.queueMs } };
}

/** The clock of `Call.deadlineAt`, with fractions and without jumps. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}
