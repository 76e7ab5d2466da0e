/** A Lease on a server, a network that loses what it likes, and processes with clocks of their own that may stop: for tests. */
import { setMaxListeners } from 'node:events';
import type { Clock } from '@ragscale/service/clock';
import { HandClock } from '../../../test/support/hand-clock.ts';
import { LeaderElection } from '../src/leader-election.ts';
import { type Lease, LeaseConflictError, type LeaseSpec, type LeaseStore } from '../src/lease.ts';

const forever = new AbortController().signal;
setMaxListeners(0, forever);

/** What becomes of one request: how long it and its answer are under way, in milliseconds; undefined where it is lost. */
export interface Fate {
  readonly thereMs: number | undefined;
  readonly backMs: number | undefined;
}

export const PROMPT: Fate = { thereMs: 5, backMs: 5 };

export class LeaseServer {
  lease: Lease | undefined;
  /** Answered in place of everything. */
  refusal: Error | undefined;
  #versions = 0;

  apply(request: LeaseRequest): Lease | undefined {
    if (this.refusal) throw this.refusal;
    if (request.verb === 'read') return this.lease;
    const { verb, spec } = request;
    if (verb === 'create' && this.lease) throw new LeaseConflictError('already exists');
    if (verb === 'replace' && this.lease?.metadata.resourceVersion !== request.resourceVersion) {
      throw new LeaseConflictError('the object has been modified');
    }
    const resourceVersion = `${++this.#versions}`;
    this.lease = { metadata: { uid: this.lease?.metadata.uid ?? `uid-${resourceVersion}`, resourceVersion }, spec };
    return this.lease;
  }
}

type LeaseRequest =
  | { readonly verb: 'read' }
  | { readonly verb: 'create'; readonly spec: LeaseSpec }
  | { readonly verb: 'replace'; readonly spec: LeaseSpec; readonly resourceVersion: string };

/** Runs at its own rate, and not at all while its process is stopped. */
export class ProcessClock implements Clock {
  #frozenUntil = 0;
  readonly #world: HandClock;
  readonly #rate: number;
  readonly #ahead: number;

  constructor(world: HandClock, rate = 1, ahead = 0) {
    this.#world = world;
    this.#rate = rate;
    this.#ahead = ahead;
  }

  /** As of a clock that goes on while the process is stopped. */
  now(): number {
    return this.#world.now() * this.#rate + this.#ahead;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#world.sleep(ms / this.#rate, signal);
    await this.thawed();
  }

  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#world.now() + ms);
  }

  async thawed(): Promise<void> {
    while (this.#world.now() < this.#frozenUntil)
      await this.#world.sleep(this.#frozenUntil - this.#world.now(), forever);
  }
}

/** What was sent arrives even where nobody waits for it any more. */
export class FarLeaseStore implements LeaseStore {
  /** From now on, for each request. */
  fate: () => Fate = () => PROMPT;
  requests = 0;
  readonly #server: LeaseServer;
  readonly #world: HandClock;
  readonly #clock: ProcessClock;

  constructor(server: LeaseServer, world: HandClock, clock: ProcessClock) {
    this.#server = server;
    this.#world = world;
    this.#clock = clock;
  }

  read(signal: AbortSignal): Promise<Lease | undefined> {
    return this.#send({ verb: 'read' }, signal);
  }

  async create(spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    return (await this.#send({ verb: 'create', spec }, signal))!;
  }

  async replace({ metadata: { resourceVersion } }: Lease, spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    return (await this.#send({ verb: 'replace', spec, resourceVersion }, signal))!;
  }

  async #send(request: LeaseRequest, signal: AbortSignal): Promise<Lease | undefined> {
    this.requests += 1;
    const answer = Promise.withResolvers<Lease | undefined>();
    void this.#carry(request, this.fate(), answer);
    signal.addEventListener('abort', () => answer.reject(signal.reason), { once: true });
    signal.throwIfAborted();
    return answer.promise;
  }

  async #carry(request: LeaseRequest, { thereMs, backMs }: Fate, answer: PromiseWithResolvers<Lease | undefined>) {
    if (thereMs === undefined) return;
    await this.#world.sleep(thereMs, forever);
    let deliver: () => void;
    try {
      const lease = this.#server.apply(request);
      deliver = () => answer.resolve(lease);
    } catch (error) {
      deliver = () => answer.reject(error);
    }
    if (backMs === undefined) return;
    await this.#world.sleep(backMs, forever);
    await this.#clock.thawed();
    deliver();
  }
}

export interface Elector {
  readonly identity: string;
  readonly election: LeaderElection;
  readonly clock: ProcessClock;
  readonly store: FarLeaseStore;
  readonly changes: string[];
  readonly troubles: unknown[];
  recoveries: number;
}

export class LeaseWorld {
  readonly clock = new HandClock();
  readonly server = new LeaseServer();
  readonly electors: Elector[] = [];
  random: () => number = () => 0.5;

  /** Begins at once. @param rate of its clock; @param ahead in milliseconds, of the time of day as well */
  join(identity: string, { rate = 1, ahead = 0 }: { rate?: number; ahead?: number } = {}): Elector {
    const clock = new ProcessClock(this.clock, rate, ahead);
    const store = new FarLeaseStore(this.server, this.clock, clock);
    const changes: string[] = [];
    const troubles: unknown[] = [];
    const election = new LeaderElection({
      store,
      identity,
      clock,
      wallNow: () => Date.UTC(2026, 10, 22) + clock.now(),
      random: () => this.random(),
      onChange: (isLeader, holder) => changes.push(`${isLeader ? 'leads' : 'follows'} ${holder ?? 'nobody'}`),
      onTrouble: (error) => troubles.push(error),
      onRecovered: () => {
        elector.recoveries += 1;
      },
    });
    const elector: Elector = { identity, election, clock, store, changes, troubles, recoveries: 0 };
    this.electors.push(elector);
    election.start();
    return elector;
  }

  leaders(): string[] {
    return this.electors.filter(({ election }) => election.remainingMs() > 0).map(({ identity }) => identity);
  }
}
