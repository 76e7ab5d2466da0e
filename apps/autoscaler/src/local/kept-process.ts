/** How is a process kept running? Started, asked again and again whether it is able, started anew when it dies, and ended in order. */
import { type Clock, pauseMs } from '@ragscale/service/clock';
import type { Program, ProgramEnd } from './program.ts';

/** `alive`: it answers, and is not able yet, or not any more. */
export type Condition = 'able' | 'alive' | 'silent';

export interface Death {
  readonly name: string;
  readonly end: ProgramEnd;
  /** It never was able. */
  readonly atStart: boolean;
  /** It was killed because it did not answer for so long. */
  readonly silentForMs: number | undefined;
  /** Until it is started again. */
  readonly pauseMs: number;
}

export interface Started {
  readonly name: string;
  readonly program: Program;
  /** Never rejects, and ends soon after the signal. */
  check(signal: AbortSignal): Promise<Condition>;
  /** It is dead, or about to be told to end: nobody shall send it anything. Never rejects. */
  withdraw(): Promise<void>;
}

export interface KeptProcessParts<S extends Started> {
  readonly start: () => Promise<S>;
  readonly onAble?: () => void;
  readonly onDied: (death: Death) => void;
  readonly onKilled: (name: string, afterMs: number) => void;
  /** How long it may take to end when it is told to. */
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

const FIRST_CHECKS_MS = 100;
const CHECK_MS = 1_000;
/** Checks in a row that must find it unable before it counts as that: a busy machine is slow to answer. */
const UNABLE_CHECKS = 3;
/** Checks in a row that nobody answers, a minute of them and more; counted, for a computer that wakes up has not heard anybody for hours. */
const SILENT_CHECKS = 60;
/** Who was able for this long did not fail to start. */
const PROVEN_MS = 30_000;

export class KeptProcess<S extends Started = Started> {
  readonly #parts: KeptProcessParts<S>;
  readonly #leaving = new AbortController();
  readonly #gone: Promise<void>;
  #current: S | undefined;
  #madeAt: number;
  #ableAt: number | undefined;
  #isAble = false;
  #isKilled = false;
  #failures = 0;
  #lastDeath: Death | undefined;
  #pause = new AbortController();

  /** Starts it. */
  constructor(parts: KeptProcessParts<S>) {
    this.#parts = parts;
    this.#madeAt = parts.clock.now();
    this.#gone = this.#keep();
  }

  /** Undefined while there is none. */
  get current(): S | undefined {
    return this.#current;
  }

  get isAble(): boolean {
    return this.#isAble;
  }

  /** Milliseconds since it was made; dying before it was able makes it no younger. */
  get ageMs(): number {
    return this.#parts.clock.now() - this.#madeAt;
  }

  /** Of the last one, if none has been able since. */
  get deathAtStart(): Death | undefined {
    return this.#lastDeath?.atStart ? this.#lastDeath : undefined;
  }

  /** Asks now whether it is able, and not at the end of the pause. */
  checkSoon(): void {
    this.#pause.abort();
  }

  /** Withdraws it, tells it to end, and resolves when it is gone. */
  stop(): Promise<void> {
    this.#leaving.abort();
    return this.#gone;
  }

  /** At once, also where it was told to end already; resolves when it is gone. */
  kill(): Promise<void> {
    this.#isKilled = true;
    this.#leaving.abort();
    this.#current?.program.kill();
    return this.#gone;
  }

  async #keep(): Promise<void> {
    const { signal } = this.#leaving;
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const started = await this.#parts.start();
      this.#current = started;
      this.#ableAt = undefined;
      const over = new AbortController();
      const watched = this.#watch(started, AbortSignal.any([signal, over.signal]));
      const end = await Promise.race([started.program.ended, aborted(signal)]);
      over.abort();
      const silentForMs = await watched;
      this.#isAble = false;
      await started.withdraw();
      if (end === undefined) await this.#end(started);
      this.#current = undefined;
      if (end !== undefined && !signal.aborted) await clock.sleep(this.#mourn(started, end, silentForMs), signal);
    }
  }

  async #end({ name, program }: Started): Promise<void> {
    const { stopTimeoutMs, onKilled } = this.#parts;
    if (this.#isKilled) program.kill();
    if (!(await program.stop(stopTimeoutMs))) onKilled(name, stopTimeoutMs);
  }

  /** @returns for how long it was silent, if it was killed for that */
  async #watch(started: Started, signal: AbortSignal): Promise<number | undefined> {
    const { clock } = this.#parts;
    let unable = 0;
    let silent = 0;
    let heardAt = clock.now();
    signal.addEventListener('abort', () => this.#pause.abort(), { once: true });
    while (!signal.aborted) {
      const condition = await started.check(signal);
      if (signal.aborted) break;
      silent = condition === 'silent' ? silent + 1 : 0;
      if (silent === 0) heardAt = clock.now();
      unable = condition === 'able' ? 0 : unable + 1;
      if (condition === 'able') this.#becameAble();
      else if (unable >= UNABLE_CHECKS) this.#isAble = false;
      if (this.#ableAt !== undefined && silent >= SILENT_CHECKS) {
        started.program.kill();
        return clock.now() - heardAt;
      }
      this.#pause = new AbortController();
      await clock.sleep(this.#ableAt === undefined ? FIRST_CHECKS_MS : CHECK_MS, this.#pause.signal);
    }
    return undefined;
  }

  #becameAble(): void {
    const isNews = !this.#isAble;
    this.#isAble = true;
    this.#ableAt ??= this.#parts.clock.now();
    this.#lastDeath = undefined;
    if (isNews) this.#parts.onAble?.();
  }

  /** @returns how long to wait until it is started again */
  #mourn({ name }: Started, end: ProgramEnd, silentForMs: number | undefined): number {
    const { clock, random, onDied } = this.#parts;
    const now = clock.now();
    const atStart = this.#ableAt === undefined;
    const proven = this.#ableAt !== undefined && now - this.#ableAt >= PROVEN_MS;
    this.#failures = proven ? 0 : this.#failures + 1;
    // One that had proven itself is replaced at once, as a Deployment does.
    const pause = this.#failures === 0 ? 0 : pauseMs(this.#failures, random());
    if (!atStart) this.#madeAt = now;
    const death = { name, end, atStart, silentForMs, pauseMs: pause };
    this.#lastDeath = death;
    onDied(death);
    return pause;
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
