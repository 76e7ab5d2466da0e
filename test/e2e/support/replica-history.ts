/** How many replicas were there, and when? What the API server says of a Deployment, looked at several times in a second. */
import { setTimeout as delay } from 'node:timers/promises';
import { cluster } from './cluster.ts';

export interface Replicas {
  /** Milliseconds of Unix time when it was seen first. */
  readonly at: number;
  readonly wanted: number;
  readonly ready: number;
}

const LOOK_MS = 250;

/** From its construction until it is disposed of. While the API server is gone nothing is seen, and nobody can change anything. */
export class ReplicaHistory implements AsyncDisposable {
  readonly changes: Replicas[] = [];
  readonly #looking: Promise<void>;
  #stopped = false;

  constructor(namespace: string, deployment: string) {
    this.#looking = this.#look(namespace, deployment);
  }

  get now(): Replicas {
    return this.changes.at(-1) ?? { at: Date.now(), wanted: 0, ready: 0 };
  }

  /** Changes to fewer wanted, from this time on. */
  falls(since: number): Replicas[] {
    return this.changes.filter(({ at, wanted }, i) => at >= since && wanted < (this.changes[i - 1]?.wanted ?? wanted));
  }

  /** Each number of wanted ones that there was, from this time on. */
  wantedSince(since: number): number[] {
    const last = this.changes.findLastIndex(({ at }) => at <= since);
    return [...new Set(this.changes.slice(Math.max(0, last)).map(({ wanted }) => wanted))];
  }

  /** For an assertion's message, such as `2/2 at 0 s, 3/2 at 5.1 s`. */
  toString(): string {
    const start = this.changes[0]?.at ?? 0;
    const words = this.changes.map(
      ({ at, wanted, ready }) => `${ready}/${wanted} at ${((at - start) / 1_000).toFixed(1)} s`,
    );
    return `ready/wanted: ${words.join(', ')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#looking;
  }

  async #look(namespace: string, deployment: string): Promise<void> {
    while (!this.#stopped) {
      const seen = await cluster()
        .deployment(namespace, deployment)
        .catch(() => undefined);
      if (seen !== undefined) this.#note(seen.spec.replicas, seen.status.readyReplicas ?? 0);
      await delay(LOOK_MS);
    }
  }

  #note(wanted: number, ready: number): void {
    const last = this.changes.at(-1);
    if (last?.wanted === wanted && last.ready === ready) return;
    this.changes.push({ at: Date.now(), wanted, ready });
  }
}
