/** How do memory, handles and replicas go while the system is under load? Looked at every few seconds; a process that started anew is another. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseExposition } from '../../apps/autoscaler/src/measuring/exposition.ts';
import type { Point } from './flatness.ts';
import type { ProcessView, Replicas, System } from './system.ts';

/** What must not grow, by the metric it is read from. */
export const WATCHED = {
  process_resident_memory_bytes: 'memory',
  nodejs_heap_size_used_bytes: 'heap',
  nodejs_external_memory_bytes: 'external memory',
  process_open_fds: 'open files',
  nodejs_active_resources_total: 'active resources',
} as const;
export type WatchedMetric = keyof typeof WATCHED;
export const WATCHED_METRICS = Object.keys(WATCHED) as WatchedMetric[];

/** What must be 0 when nobody asks any more. */
export const BUSY_METRICS = [
  'ragscale_requests_waiting',
  'ragscale_requests_running',
  'ragscale_proxy_in_flight',
  'ragscale_proxy_waiting',
] as const;

const STARTED = 'process_start_time_seconds';
const READ: ReadonlySet<string> = new Set([...WATCHED_METRICS, ...BUSY_METRICS, STARTED]);

/** One process from its start to its end. */
export interface Life {
  readonly name: string;
  readonly part: ProcessView['part'];
  /** Unix time in seconds. */
  readonly startedAt: number;
  readonly points: Readonly<Record<WatchedMetric, Point[]>>;
}

export interface ReplicaPoint extends Replicas {
  readonly atMs: number;
}

export class Watch {
  readonly #system: System;
  readonly #lives = new Map<string, Life>();
  readonly #replicas: ReplicaPoint[] = [];

  constructor(system: System) {
    this.#system = system;
  }

  get lives(): readonly Life[] {
    return [...this.#lives.values()];
  }

  get replicas(): readonly ReplicaPoint[] {
    return this.#replicas;
  }

  /** Until the signal; what does not answer is looked at the next time. @param start of the load, by `performance.now()` */
  async run(start: number, everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look(start);
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async look(start: number): Promise<void> {
    const atMs = performance.now() - start;
    const replicas = async () => void this.#replicas.push({ atMs, ...(await this.#system.replicas()) });
    const processes = async () => {
      const views = await this.#system.processes();
      await Promise.allSettled(views.map((view) => this.#lookAt(view, start)));
    };
    await Promise.allSettled([replicas(), processes()]);
  }

  /** How much of everything is under way; of what cannot be asked, its silence. */
  async busy(): Promise<string[]> {
    const found = await Promise.all(
      (await this.#system.processes()).map(async ({ name, metrics }) => {
        const text = await metrics().catch(() => undefined);
        if (text === undefined) return [`${name} does not answer`];
        return parseExposition(text, new Set(BUSY_METRICS))
          .filter(({ value }) => value !== 0)
          .map((sample) => `${name}: ${sample.name} is ${sample.value}`);
      }),
    );
    return found.flat();
  }

  async #lookAt({ name, part, metrics }: ProcessView, start: number): Promise<void> {
    const text = await metrics();
    const atMs = performance.now() - start;
    const samples = parseExposition(text, READ);
    const startedAt = samples.find((sample) => sample.name === STARTED)?.value;
    if (startedAt === undefined) return;
    const key = `${name} ${startedAt}`;
    const life = this.#lives.get(key) ?? newLife({ name, part, startedAt });
    this.#lives.set(key, life);
    for (const metric of WATCHED_METRICS) {
      const value = samples.find((sample) => sample.name === metric)?.value;
      if (value !== undefined) life.points[metric].push({ atMs, value });
    }
  }
}

function newLife(who: Omit<Life, 'points'>): Life {
  const points = Object.fromEntries(WATCHED_METRICS.map((metric) => [metric, []])) as unknown as Life['points'];
  return { ...who, points };
}
