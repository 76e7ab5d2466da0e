/** What are the objects of a collection, now and after every change? Kubernetes' list and watch, kept going until stopped. */
import { type Clock, pauseMs, realClock } from '@ragscale/service/clock';

export interface ListedObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly resourceVersion: string;
  };
}

export interface Listed<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing changed up to this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface WatchRequest<T> {
  /** Changes after this version. */
  readonly resourceVersion: string;
  /** After which the server is to end the watch. */
  readonly timeoutSeconds: number;
  /** The server has accepted the watch. */
  onOpen(): void;
  onEvent(event: WatchEvent<T>): void;
}

/** One collection on one server. Both calls reject when the signal is aborted. */
export interface ListWatchClient<T> {
  list(signal: AbortSignal): Promise<Listed<T>>;
  /**
   * Resolves when the server ends the watch.
   * @throws ExpiredVersionError, or whatever else broke it
   */
  watch(request: WatchRequest<T>, signal: AbortSignal): Promise<void>;
}

/** The server no longer knows the version (410 Gone): list anew. */
export class ExpiredVersionError extends Error {
  override readonly name = 'ExpiredVersionError';
}

export interface ListWatchOptions<T> {
  readonly client: ListWatchClient<T>;
  /** All objects, after the first list and after every change. Not called while the server is away. */
  onObjects(objects: readonly T[]): void;
  /** An attempt failed; another follows after the pause. `failures` counts those in a row. */
  onTrouble(error: unknown, failures: number, pauseMs: number): void;
  /** A watch is open after there was trouble. */
  onRecovered(): void;
  /** How long the server is asked to keep a watch; 60 unless given. A connection that died unnoticed is found out so much later. */
  readonly watchSeconds?: number | undefined;
  readonly clock?: Clock;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** Against changes that were lost on the way, which must not happen and has. */
const RELIST_MS = 5 * 60_000;
/** A watch ends by itself after a minute, so that a connection that died unnoticed is one soon, and nobody lists or watches in step. */
const WATCH_SECONDS = 60;
/** Of the watch's length, drawn anew each time. */
const WATCH_SPREAD = 0.25;
/** What a watch may take longer than agreed: then the connection is dead. */
const OVERDUE_MS = 10_000;
/** A watch that lived so long was a success, and the next failure starts with the shortest pause again. */
const HEALTHY_MS = 10_000;
/** A watch that ends sooner of itself is a failure: some proxies cut everything. */
const TOO_SHORT_MS = 1_000;

export class ListWatch<T extends ListedObject> {
  readonly #options: ListWatchOptions<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  readonly #objects = new Map<string, T>();
  /** Of what is in `#objects`; undefined: list first. */
  #version: string | undefined;
  #listedAt = 0;
  #failures = 0;
  #inTrouble = false;

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
  }

  /** Resolves after `stop`. */
  async run(): Promise<void> {
    const { signal } = this.#stopping;
    let mayListAtOnce = true;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined || this.#clock.now() - this.#listedAt >= RELIST_MS) await this.#list(signal);
        await this.#watch(signal);
        mayListAtOnce = true;
      } catch (error) {
        if (signal.aborted) return;
        this.#version = undefined;
        if (error instanceof ExpiredVersionError && mayListAtOnce) {
          mayListAtOnce = false;
          continue;
        }
        await this.#pause(error, signal);
      }
    }
  }

  /** No callback comes after it. */
  stop(): void {
    this.#stopping.abort();
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { items, resourceVersion } = await this.#options.client.list(signal);
    signal.throwIfAborted();
    this.#objects.clear();
    for (const object of items) this.#objects.set(keyOf(object), object);
    this.#version = resourceVersion;
    this.#listedAt = this.#clock.now();
    this.#handOver();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const startedAt = this.#clock.now();
    const shortest = this.#options.watchSeconds ?? WATCH_SECONDS;
    const timeoutSeconds = Math.floor(shortest * (1 + this.#random() * WATCH_SPREAD));
    const deadline = new AbortController();
    const either = AbortSignal.any([signal, deadline.signal]);
    void this.#clock.sleep(timeoutSeconds * 1000 + OVERDUE_MS, either).then(() => {
      deadline.abort(new Error(`the watch did not end after ${timeoutSeconds} s as agreed: the connection is dead`));
    });
    try {
      await this.#options.client.watch(
        {
          resourceVersion: this.#version ?? '',
          timeoutSeconds,
          onOpen: () => {
            if (!either.aborted) this.#recovered();
          },
          onEvent: (event) => {
            if (!either.aborted) this.#apply(event);
          },
        },
        either,
      );
    } finally {
      deadline.abort();
      if (this.#clock.now() - startedAt >= HEALTHY_MS) this.#failures = 0;
    }
    if (this.#clock.now() - startedAt < TOO_SHORT_MS) throw new Error('the watch ended at once');
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === 'BOOKMARK') {
      this.#version = event.resourceVersion;
      return;
    }
    this.#version = event.object.metadata.resourceVersion;
    if (event.type === 'DELETED') this.#objects.delete(keyOf(event.object));
    else this.#objects.set(keyOf(event.object), event.object);
    this.#handOver();
  }

  #handOver(): void {
    this.#options.onObjects([...this.#objects.values()]);
  }

  async #pause(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures++;
    this.#inTrouble = true;
    const ms = pauseMs(this.#failures, this.#random());
    this.#options.onTrouble(error, this.#failures, ms);
    await this.#clock.sleep(ms, signal);
  }

  #recovered(): void {
    if (!this.#inTrouble) return;
    this.#inTrouble = false;
    this.#options.onRecovered();
  }
}

function keyOf({ metadata: { namespace = '', name } }: ListedObject): string {
  return `${namespace}/${name}`;
}
