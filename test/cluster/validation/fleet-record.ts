/** Which pods were there, and when? What the API server says, looked at every second. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Condition, cluster, isReady, type Pod } from '../../e2e/support/cluster.ts';

export interface FleetSample {
  /** Milliseconds of Unix time. */
  readonly at: number;
  /** What the Deployment is told to have. */
  readonly desired: number;
  readonly ready: number;
  /** All that cost: starting, able, and on their way out. */
  readonly existing: number;
}

const LOOK_MS = 1_000;

/** From its construction until it is disposed of. */
export class FleetRecord implements AsyncDisposable {
  readonly samples: FleetSample[] = [];
  /** Milliseconds from creation to readiness, by name. */
  readonly #coldStarts = new Map<string, { readonly createdAt: number; readonly ms: number }>();
  readonly #looking: Promise<void>;
  #stopped = false;

  constructor(namespace: string, deployment: string, component: string) {
    this.#looking = this.#look(namespace, deployment, component);
  }

  /** Milliseconds of pods that were created from then on. */
  coldStarts(since: number): number[] {
    return [...this.#coldStarts.values()].filter(({ createdAt }) => createdAt >= since).map(({ ms }) => ms);
  }

  /** Seconds of all pods together. */
  replicaSeconds(from: number, to: number): number {
    let sum = 0;
    this.samples.forEach(({ at, existing }, index) => {
      const until = this.samples[index + 1]?.at ?? to;
      sum += existing * Math.max(0, Math.min(until, to) - Math.max(at, from));
    });
    return sum / 1_000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#looking;
  }

  async #look(namespace: string, deployment: string, component: string): Promise<void> {
    while (!this.#stopped) {
      const seen = await Promise.all([
        cluster().deployment(namespace, deployment),
        cluster().pods(namespace, component),
      ]).catch(() => undefined);
      if (seen !== undefined) this.#note(seen[0].spec.replicas, seen[1]);
      await delay(LOOK_MS);
    }
  }

  #note(desired: number, pods: readonly Pod[]): void {
    const existing = pods.filter(({ status }) => status.phase === 'Pending' || status.phase === 'Running');
    const able = existing.filter(isReady);
    this.samples.push({ at: Date.now(), desired, ready: able.length, existing: existing.length });
    for (const { metadata, status } of able) {
      const ready: (Condition & { lastTransitionTime?: string }) | undefined = status.conditions?.find(
        ({ type }) => type === 'Ready',
      );
      const createdAt = Date.parse(metadata.creationTimestamp);
      const readyAt = Date.parse(ready?.lastTransitionTime ?? '');
      if (!this.#coldStarts.has(metadata.name))
        this.#coldStarts.set(metadata.name, { createdAt, ms: readyAt - createdAt });
    }
  }
}
