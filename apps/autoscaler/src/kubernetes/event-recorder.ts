/** How does the owner find out what happened? By Events of the resource, as `kubectl describe` shows them. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@ragscale/service/clock';
import { TokenBucket } from '@ragscale/service/token-bucket';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type Api, isStatus } from './api.ts';
import { GROUP_VERSION, KIND, type LatencyAutoscaler } from './latency-autoscaler.ts';
import { timeText } from './status.ts';

export interface ToldEvent {
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorderParts {
  readonly api: Pick<Api, 'request'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Which of several autoscalers it was: the name of the pod. */
  readonly instance: string;
  /** Milliseconds since the epoch. */
  readonly wallNow?: () => number;
}

interface Recorded {
  readonly name: string;
  count: number;
  /** By the clock that was given. */
  lastAt: number;
}

const COMPONENT = 'ragscale-autoscaler';
/** The same again within this time is counted and not told again. */
const SAME_MS = 5 * 60_000;
/** For one resource: some at once, then one every minute. */
const LIMITS = { ratePerSecond: 1 / 60, burst: 10 };
const LONGEST_QUEUE = 256;
const MOST_BUCKETS = 10_000;
const WRITE_TIMEOUT_MS = 5_000;
/** What the API server takes. */
const LONGEST_MESSAGE = 1_024;

const anything = z.unknown();

export class EventRecorder {
  readonly #parts: EventRecorderParts;
  /** By uid of the resource, type, reason and message. */
  readonly #recorded = new Map<string, Recorded>();
  /** By uid of the resource. */
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #stopping = new AbortController();
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
  }

  /** Returns at once; what cannot be written is lost, and the log says so. */
  record(resource: LatencyAutoscaler, event: ToldEvent): void {
    if (this.#stopping.signal.aborted) return;
    const now = this.#parts.clock.now();
    this.#tidy(now);
    const { uid } = resource.metadata;
    const bucket = this.#buckets.get(uid) ?? new TokenBucket(LIMITS);
    this.#buckets.set(uid, bucket);
    if (bucket.take(now) > 0) return;
    const { logger } = this.#parts;
    if (this.#queue.length >= LONGEST_QUEUE) {
      this.#queue.shift();
      logger.warn('an Event is lost: too many wait to be written');
    }
    const at = (this.#parts.wallNow ?? Date.now)();
    this.#queue.push(() => this.#write(resource, { ...event, message: cut(event.message) }, at));
    this.#writing ??= this.#drain();
  }

  /** Resolves when what waits was written, or could not be within seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#writing;
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await next();
    this.#writing = undefined;
  }

  async #write(resource: LatencyAutoscaler, event: ToldEvent, at: number): Promise<void> {
    const { clock, logger } = this.#parts;
    const { namespace, uid } = resource.metadata;
    const key = JSON.stringify([uid, event.type, event.reason, event.message]);
    const before = this.#recorded.get(key);
    try {
      if (before === undefined || !(await this.#countUp(namespace, before, at))) {
        this.#recorded.set(key, await this.#create(resource, event, at));
      }
      this.#failing = false;
    } catch (error) {
      const words = isStatus(error, 403)
        ? `Events cannot be written: a right is missing: bind a Role with create and patch on events (API group "") in the namespace ${namespace} to the ServiceAccount of the autoscaler`
        : 'Events cannot be written';
      if (!this.#failing) logger.warn({ err: error, event: event.reason, namespace }, words);
      this.#failing = true;
      // A server that is away makes no long end.
      if (this.#stopping.signal.aborted) this.#queue.length = 0;
    }
    this.#tidy(clock.now());
  }

  async #create({ metadata }: LatencyAutoscaler, event: ToldEvent, at: number): Promise<Recorded> {
    const { namespace, name, uid, resourceVersion } = metadata;
    const { api, clock, instance } = this.#parts;
    const time = timeText(at);
    const eventName = `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}`;
    await api.request('POST', `/api/v1/namespaces/${namespace}/events`, {
      body: {
        metadata: { namespace, name: eventName },
        involvedObject: { apiVersion: GROUP_VERSION, kind: KIND, namespace, name, uid, resourceVersion },
        ...event,
        source: { component: COMPONENT },
        reportingComponent: COMPONENT,
        reportingInstance: instance,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
      schema: anything,
      signal: AbortSignal.timeout(WRITE_TIMEOUT_MS),
    });
    return { name: eventName, count: 1, lastAt: clock.now() };
  }

  /** @returns false where it is gone: Events live for an hour, or somebody deleted it */
  async #countUp(namespace: string, recorded: Recorded, at: number): Promise<boolean> {
    const { api, clock } = this.#parts;
    try {
      await api.request('PATCH', `/api/v1/namespaces/${namespace}/events/${encodeURIComponent(recorded.name)}`, {
        body: { count: recorded.count + 1, lastTimestamp: timeText(at) },
        schema: anything,
        signal: AbortSignal.timeout(WRITE_TIMEOUT_MS),
      });
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
    recorded.count += 1;
    recorded.lastAt = clock.now();
    return true;
  }

  #tidy(now: number): void {
    for (const [key, { lastAt }] of this.#recorded) if (now - lastAt > SAME_MS) this.#recorded.delete(key);
    // Of resources that are no more, mostly.
    if (this.#buckets.size > MOST_BUCKETS) this.#buckets.clear();
  }
}

function cut(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 3)}...`;
}
