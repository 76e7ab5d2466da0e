/** Which texts need not be embedded: those that were lately, and those that are being embedded at the moment for somebody else. */
import type { CallOptions, Embeddings, Engine } from '@ragscale/inference/engine-api';
import { CancelledError } from '@ragscale/inference/errors';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import { LruStore } from './lru-store.ts';

type Role = 'query' | 'passage';

export interface EmbeddingCacheOptions {
  /** Bytes of texts and vectors that are kept; 0 keeps none. */
  readonly maxBytes: number;
  /** Whether a text is embedded once that stands in a call twice, or in several calls at once. */
  readonly shares: boolean;
  readonly metrics?: Pick<PodMetrics, 'cacheLookedUp'>;
}

interface Embedded {
  readonly vector: Float32Array;
  /** Undefined while only the sum is known over the texts that were embedded with it. */
  tokens?: number | undefined;
}

/** One call of the engine, and who wants what comes of it. */
interface Work {
  readonly keys: readonly string[];
  readonly controller: AbortController;
  readonly result: Promise<Embeddings>;
  wantedBy: number;
  settled: boolean;
}

/** Where the vector of one text comes from: the store, or a place in some work. */
type Source = { readonly embedded: Embedded } | { readonly work: Work; readonly place: number };

/** Where a call's vectors come from. */
interface Plan {
  /** One per text. */
  readonly sources: readonly Source[];
  readonly own: Work | undefined;
  /** Every work that has a source in it, the own one among them. */
  readonly works: ReadonlySet<Work>;
}

/** Bytes of an entry beside its text and vector, roughly. */
const ENTRY_BYTES = 200;

/**
 * An engine's `embed` that remembers: exact matches of text and role, the least recently used forgotten first. What failed is never
 * remembered. Vectors are handed out to several callers: nobody may change them.
 */
export class EmbeddingCache implements Pick<Engine, 'embed'> {
  readonly #engine: Pick<Engine, 'embed' | 'countTokens' | 'embedder'>;
  readonly #options: EmbeddingCacheOptions;
  readonly #store: LruStore<Embedded>;
  readonly #inFlight = new Map<string, { readonly work: Work; readonly place: number }>();

  constructor(engine: Pick<Engine, 'embed' | 'countTokens' | 'embedder'>, options: EmbeddingCacheOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#store = new LruStore(options.maxBytes);
  }

  /** Bytes that are kept now. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /** Texts that others can join now. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * As `Engine.embed`. Who withdraws is let go at once; the work goes on for as long as anybody wants it. A deadline is left to the
   * signal, which aborts at it: others may want the same work for longer.
   * @returns timing: the longest of the runs that had a part in it, 0 where none had
   * @throws as `Engine.embed`, and for the caller's own texts only
   */
  async embed(texts: readonly string[], as: Role, options: CallOptions = {}): Promise<Embeddings> {
    const { signal } = options;
    if (signal?.aborted) throw withdrawn();
    const startedAt = performance.now();
    const plan = this.#plan(texts, as, options);
    for (const work of plan.works) work.wantedBy += 1;
    try {
      return await unlessWithdrawn(this.#gather(texts, as, plan, options, startedAt), signal);
    } finally {
      for (const work of plan.works) this.#letGo(work);
    }
  }

  /** A source for each text; those that have none become the caller's own work. */
  #plan(texts: readonly string[], as: Role, { order }: CallOptions): Plan {
    const missing: { key: string; text: string }[] = [];
    const places = new Map<string, number>();
    const found = texts.map((text): Source | number => {
      const key = as + text;
      const embedded = this.#stored(key);
      if (embedded !== undefined) return { embedded };
      const shared = this.#shared(key, places);
      if (shared !== undefined) return shared;
      places.set(key, missing.length);
      return missing.push({ key, text }) - 1;
    });
    const own = missing.length === 0 ? undefined : this.#begin(missing, as, order);
    const sources = found.map((source) => (typeof source === 'number' ? { work: own!, place: source } : source));
    const works = new Set(sources.flatMap((source) => ('work' in source ? [source.work] : [])));
    return { sources, own, works };
  }

  async #gather(
    texts: readonly string[],
    as: Role,
    { sources, own, works }: Plan,
    options: CallOptions,
    startedAt: number,
  ): Promise<Embeddings> {
    const results = new Map<Work, Embeddings>();
    let failed = false;
    const collect = async (work: Work): Promise<void> => {
      try {
        results.set(work, await work.result);
      } catch (error) {
        if (work === own) throw error;
        failed = true;
      }
    };
    await Promise.all([...works].map(collect));
    // Work of another's can fail because of a text of the other's. That is seldom: what is done again is not shared again.
    if (failed) return this.#engine.embed(texts, as, options);
    const found = sources.map((source): Embedded => {
      if ('embedded' in source) return source.embedded;
      const { vectors, tokens } = results.get(source.work) as Embeddings;
      return {
        vector: vectors[source.place] as Float32Array,
        tokens: source.work.keys.length === 1 ? tokens : undefined,
      };
    });
    const timing = timingOf([...results.values()], performance.now() - startedAt);
    const isOwn = own !== undefined && works.size === 1 && own.keys.length === texts.length;
    const tokens = isOwn ? (results.get(own) as Embeddings).tokens : await this.#countTokens(texts, as, found);
    return { vectors: found.map(({ vector }) => vector), tokens, timing };
  }

  /** The sum over all texts; those are counted of which only a sum with others was known. */
  async #countTokens(texts: readonly string[], as: Role, found: readonly Embedded[]): Promise<number> {
    const unknown = [...found.keys()].filter((index) => found[index]?.tokens === undefined);
    if (unknown.length > 0) {
      // The engine counts texts as they are, and embeds them in the dress of their role.
      const dress = this.#engine.embedder.prompt[as];
      const counts = await this.#engine.countTokens(
        unknown.map((index) => dress.replace('{text}', () => texts[index]!)),
      );
      for (const [place, index] of unknown.entries()) found[index]!.tokens = counts[place];
    }
    return found.reduce((sum, { tokens = 0 }) => sum + tokens, 0);
  }

  #stored(key: string): Embedded | undefined {
    if (this.#options.maxBytes === 0) return undefined;
    const embedded = this.#store.get(key);
    this.#options.metrics?.cacheLookedUp('embedding', embedded !== undefined);
    return embedded;
  }

  /** A place in another's work, or the number of a place in the caller's own. */
  #shared(key: string, places: ReadonlyMap<string, number>): Source | number | undefined {
    if (!this.#options.shares) return undefined;
    const shared = places.get(key) ?? this.#inFlight.get(key);
    this.#options.metrics?.cacheLookedUp('in_flight', shared !== undefined);
    return shared;
  }

  #begin(missing: readonly { readonly key: string; readonly text: string }[], as: Role, order?: number): Work {
    const controller = new AbortController();
    const keys = missing.map(({ key }) => key);
    const texts = missing.map(({ text }) => text);
    const result = this.#engine.embed(texts, as, { signal: controller.signal, order });
    const work: Work = { keys, controller, result, wantedBy: 0, settled: false };
    if (this.#options.shares) for (const [place, key] of keys.entries()) this.#inFlight.set(key, { work, place });
    result.then(
      (embeddings) => this.#finish(work, embeddings),
      () => this.#close(work),
    );
    return work;
  }

  #finish(work: Work, { vectors, tokens }: Embeddings): void {
    this.#close(work);
    for (const [place, key] of work.keys.entries()) {
      const vector = vectors[place] as Float32Array;
      const embedded = { vector, ...(work.keys.length === 1 ? { tokens } : {}) };
      // A character takes one byte or two: what is kept must not be more than was allowed.
      this.#store.set(key, embedded, 2 * key.length + vector.byteLength + ENTRY_BYTES);
    }
  }

  /** Nobody can join it any more. */
  #close(work: Work): void {
    work.settled = true;
    for (const key of work.keys) if (this.#inFlight.get(key)?.work === work) this.#inFlight.delete(key);
  }

  #letGo(work: Work): void {
    work.wantedBy -= 1;
    if (work.wantedBy > 0 || work.settled) return;
    this.#close(work);
    work.controller.abort(withdrawn());
  }
}

function unlessWithdrawn<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const withdraw = (): void => reject(withdrawn());
    signal.addEventListener('abort', withdraw, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', withdraw));
  });
}

function withdrawn(): CancelledError {
  return new CancelledError('the request was withdrawn');
}

/** Who joins late has seen only the end of the work: no time of it can be longer than the caller's own. */
function timingOf(results: readonly Embeddings[], elapsedMs: number): Embeddings['timing'] {
  const runMs = Math.min(Math.max(0, ...results.map(({ timing }) => timing.runMs)), elapsedMs);
  const queueMs = Math.min(Math.max(0, ...results.map(({ timing }) => timing.queueMs)), elapsedMs - runMs);
  return { queueMs, runMs };
}
