/** When is a status written? Soon when something happened, now and then otherwise, never all at once, and only by whoever decides. */
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import { z } from 'zod';
import { inParallel } from '../in-parallel.ts';
import type { Leadership } from '../leadership.ts';
import { type Api, isStatus } from './api.ts';
import { GROUP_VERSION, type LatencyAutoscaler, PLURAL } from './latency-autoscaler.ts';
import { pressingPart, type Status, wholePart } from './status.ts';

const TICK_MS = 1_000;
/** Between two writes of one status, and before a failed one is tried again. */
const SHORTEST_MS = 5_000;
/** Where only numbers moved. */
const QUIET_MS = 60_000;
const WRITE_TIMEOUT_MS = 5_000;
const AT_ONCE = 4;

export interface StatusWriterParts {
  readonly api: Pick<Api, 'request'>;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry {
  readonly namespace: string;
  readonly name: string;
  /** Of the one that is meant: another of the same name has another status. */
  readonly uid: string;
  /** As far as known what stands there. */
  written: Status;
  wanted: Status;
  triedAt: number;
  /** The last attempt failed, and was logged. */
  failed: boolean;
}

/** RFC 6902: unlike a merge patch it can ask first whose status it is, and takes away what is not in the new one. */
const JSON_PATCH = 'application/json-patch+json';
const anything = z.unknown();

export class StatusWriter {
  readonly #parts: StatusWriterParts;
  /** By `namespace/name`. */
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: StatusWriterParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** @param next from what it is to be, or is wanted to be already */
  want({ metadata, status }: LatencyAutoscaler, next: (previous: Status) => Status): void {
    const { namespace, name, uid } = metadata;
    const id = `${namespace}/${name}`;
    let entry = this.#entries.get(id);
    if (entry?.uid !== uid) {
      const now = status ?? {};
      entry = { namespace, name, uid, written: now, wanted: now, triedAt: Number.NEGATIVE_INFINITY, failed: false };
      this.#entries.set(id, entry);
    }
    entry.wanted = next(entry.wanted);
  }

  /** What is not written yet never will be. */
  forget(id: string): void {
    this.#entries.delete(id);
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#parts;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.sleep(TICK_MS, signal);
      if (signal.aborted) return;
      const due = [...this.#entries].filter(([, entry]) => this.#isDue(entry, clock.now()));
      await inParallel(AT_ONCE, due, ([id, entry]) => this.#write(id, entry)).catch((error: unknown) => {
        logger.error({ err: error }, 'statuses could not be written');
      });
    }
  }

  #isDue({ triedAt, failed, written, wanted }: Entry, now: number): boolean {
    if (written === wanted || now - triedAt < SHORTEST_MS) return false;
    if (failed || pressingPart(written) !== pressingPart(wanted)) return true;
    return now - triedAt >= QUIET_MS && wholePart(written) !== wholePart(wanted);
  }

  async #write(id: string, entry: Entry): Promise<void> {
    const { api, leadership, clock, logger } = this.#parts;
    const remainingMs = Math.min(WRITE_TIMEOUT_MS, leadership.remainingMs());
    if (remainingMs <= 0 || this.#stopping.signal.aborted || this.#entries.get(id) !== entry) return;
    const { namespace, name, uid, wanted } = entry;
    const path = `/apis/${GROUP_VERSION}/namespaces/${namespace}/${PLURAL}/${encodeURIComponent(name)}/status`;
    const body = [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'add', path: '/status', value: wanted },
    ];
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(remainingMs)]);
    entry.triedAt = clock.now();
    try {
      await api.request('PATCH', path, { body, contentType: JSON_PATCH, schema: anything, signal });
      entry.written = wanted;
      entry.failed = false;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // Gone: whoever watches will hear of it and say so.
      const isGone = isStatus(error, 404);
      if (!entry.failed && !isGone) logger.warn({ err: error, namespace, name }, wordsFor(error, namespace));
      entry.failed = true;
    }
  }
}

function wordsFor(error: unknown, namespace: string): string {
  if (!isStatus(error, 403)) return 'the status cannot be written; it is tried again';
  const needed = `patch on ${PLURAL}/status (API group "ragscale.dev") in the namespace ${namespace}`;
  return `the status cannot be written: a right is missing: bind a Role with ${needed} to the ServiceAccount of the autoscaler`;
}
