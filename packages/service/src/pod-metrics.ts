/** The metrics of a RAG pod, with the verbs its code uses. */
import { type Counter, collectDefaultMetrics, type Gauge, type Histogram, Registry } from 'prom-client';
import type { ErrorCode } from './error-catalogue.ts';
import { CACHES, type Cache, LOOKUP_RESULTS, METRICS, STAGES, type Stage, TOKEN_KINDS } from './metric-catalogue.ts';
import { registerCounter, registerGauge, registerHistogram } from './metric-registration.ts';

/** Durations of one answer in milliseconds, by stage. */
export type StageTimes = Readonly<Record<Stage, number>>;

export interface AnswerMeasures {
  readonly stages: StageTimes;
  readonly promptTokens: number;
  /** Tokens of the prompt that were copied from another's cache and not computed. */
  readonly cachedTokens: number;
  readonly generatedTokens: number;
}

export interface PodMetricsOptions {
  readonly variant: string;
  readonly objectiveSeconds: number;
  /** Whether prompts are looked for in the cache at all: otherwise there is no lookup to count. */
  readonly sharesPrefixes: boolean;
}

/** Reasons of `ragscale_rejected_total` that are worth an alert. */
const COUNTED_FROM_THE_START = [
  'queue_full',
  'not_ready',
  'draining',
  'deadline_exceeded',
  'generator_failed',
  'generator_unavailable',
] as const satisfies readonly ErrorCode[];

/** One registry per instance, so that tests and several apps in one process do not share counts. */
export class PodMetrics {
  readonly #registry = new Registry();
  readonly #variant: string;
  readonly #sharesPrefixes: boolean;
  readonly #requestDuration: Histogram<'variant' | 'route' | 'status'>;
  readonly #stageDuration: Histogram<'variant' | 'stage'>;
  readonly #timeToFirstToken: Histogram<'variant'>;
  readonly #timePerOutputToken: Histogram<'variant'>;
  readonly #waiting: Gauge<'variant'>;
  readonly #running: Gauge<'variant'>;
  readonly #slots: Gauge<'variant'>;
  readonly #passages: Gauge<'variant'>;
  readonly #documentsOutdated: Gauge<'variant'>;
  readonly #device: Gauge<'variant' | 'device' | 'requested'>;
  readonly #batchSize: Histogram<'variant' | 'stage'>;
  readonly #tokens: Counter<'variant' | 'kind'>;
  readonly #cacheLookups: Counter<'variant' | 'cache' | 'result'>;
  readonly #rejected: Counter<'variant' | 'reason'>;

  constructor({ variant, objectiveSeconds, sharesPrefixes }: PodMetricsOptions) {
    const registry = this.#registry;
    this.#variant = variant;
    this.#sharesPrefixes = sharesPrefixes;
    this.#requestDuration = registerHistogram(METRICS.requestDuration, registry, objectiveSeconds);
    this.#stageDuration = registerHistogram(METRICS.stageDuration, registry, objectiveSeconds);
    this.#timeToFirstToken = registerHistogram(METRICS.timeToFirstToken, registry, objectiveSeconds);
    this.#timePerOutputToken = registerHistogram(METRICS.timePerOutputToken, registry, objectiveSeconds);
    this.#waiting = registerGauge(METRICS.requestsWaiting, registry);
    this.#running = registerGauge(METRICS.requestsRunning, registry);
    this.#slots = registerGauge(METRICS.slots, registry);
    this.#passages = registerGauge(METRICS.passages, registry);
    this.#documentsOutdated = registerGauge(METRICS.documentsOutdated, registry);
    this.#device = registerGauge(METRICS.deviceInfo, registry);
    this.#batchSize = registerHistogram(METRICS.batchSize, registry, objectiveSeconds);
    this.#tokens = registerCounter(METRICS.tokens, registry);
    this.#cacheLookups = registerCounter(METRICS.cacheLookups, registry);
    this.#rejected = registerCounter(METRICS.rejected, registry);
    collectDefaultMetrics({ register: registry });
    this.#startAtZero();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition in Prometheus' text format. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** @param route the pattern of the route, never the URL that was asked for */
  requestEnded(route: string, status: string, durationMs: number): void {
    this.#requestDuration.observe({ variant: this.#variant, route, status }, durationMs / 1000);
  }

  answered({ stages, promptTokens, cachedTokens, generatedTokens }: AnswerMeasures): void {
    const variant = this.#variant;
    for (const stage of STAGES) this.#stageDuration.observe({ variant, stage }, stages[stage] / 1000);
    const firstTokenMs = stages.queue + stages.embed + stages.retrieve + stages.prefill;
    if (generatedTokens > 0) this.#timeToFirstToken.observe({ variant }, firstTokenMs / 1000);
    // Prefill gives the first token, so decode gave one fewer than the answer has.
    if (generatedTokens > 1)
      this.#timePerOutputToken.observe({ variant }, stages.decode / (generatedTokens - 1) / 1000);
    this.#tokens.inc({ variant, kind: 'prompt' }, promptTokens);
    this.#tokens.inc({ variant, kind: 'prompt_cached' }, cachedTokens);
    this.#tokens.inc({ variant, kind: 'generated' }, generatedTokens);
    if (this.#sharesPrefixes) this.cacheLookedUp('prefix', cachedTokens > 0);
  }

  batchRan(stage: Stage, size: number): void {
    this.#batchSize.observe({ variant: this.#variant, stage }, size);
  }

  cacheLookedUp(cache: Cache, hit: boolean): void {
    this.#cacheLookups.inc({ variant: this.#variant, cache, result: hit ? 'hit' : 'miss' });
  }

  queueChanged(waiting: number, running: number): void {
    this.#waiting.set({ variant: this.#variant }, waiting);
    this.#running.set({ variant: this.#variant }, running);
  }

  slotsChanged(slots: number): void {
    this.#slots.set({ variant: this.#variant }, slots);
  }

  documentsIndexed(passages: number): void {
    this.#passages.set({ variant: this.#variant }, passages);
    this.#documentsOutdated.set({ variant: this.#variant }, 0);
  }

  /** They have changed, and what they are now cannot be used. */
  documentsOutdated(): void {
    this.#documentsOutdated.set({ variant: this.#variant }, 1);
  }

  /** Once, when the models are loaded. */
  deviceChosen(device: string, requested: string): void {
    this.#device.set({ variant: this.#variant, device, requested }, 1);
  }

  rejected(reason: ErrorCode): void {
    this.#rejected.inc({ variant: this.#variant, reason });
  }

  /** A series that appears with its first event hides that event from `rate()`. */
  #startAtZero(): void {
    const variant = this.#variant;
    this.queueChanged(0, 0);
    this.slotsChanged(0);
    this.documentsIndexed(0);
    for (const kind of TOKEN_KINDS) this.#tokens.inc({ variant, kind }, 0);
    for (const cache of CACHES)
      for (const result of LOOKUP_RESULTS) this.#cacheLookups.inc({ variant, cache, result }, 0);
    for (const reason of COUNTED_FROM_THE_START) this.#rejected.inc({ variant, reason }, 0);
  }
}
