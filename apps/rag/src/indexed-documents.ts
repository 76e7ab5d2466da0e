/** What answers are drawn from: documents that are indexed when a pod starts, and again when they change. */
import type { Engine } from '@ragscale/inference/engine-api';
import { DEFAULT_DOCUMENTS } from '@ragscale/retrieval/default-documents';
import { loadDocuments } from '@ragscale/retrieval/documents';
import { fingerprintDocuments } from '@ragscale/retrieval/documents-fingerprint';
import { realClock } from '@ragscale/service/clock';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Logger } from 'pino';
import type { Source } from './answerer.ts';
import type { Configuration } from './configuration.ts';
import { DocumentWatch } from './document-watch.ts';
import { indexDocuments } from './indexing.ts';
import type { PassageStore } from './passage-store.ts';

export interface IndexedDocumentsParts {
  readonly configuration: Pick<Configuration, 'documents' | 'documentsCheckMs' | 'passageTokens'>;
  readonly engine: Pick<Engine, 'countTokens' | 'embedder'>;
  /** The engine, or a cache in front of it. */
  readonly embedding: Pick<Engine, 'embed'>;
  readonly metrics: Pick<PodMetrics, 'documentsIndexed' | 'documentsOutdated'>;
  readonly logger: Logger;
}

/** Between two lines of the log about a long indexing, in milliseconds. */
const PROGRESS_MS = 5_000;

export class IndexedDocuments {
  readonly #parts: IndexedDocumentsParts;
  /** As they were before they were read: what is written meanwhile is a change. */
  readonly #taken: string;
  /** A question reads it once, so another one takes its place between two questions. */
  #passages: PassageStore;
  #watch: DocumentWatch | undefined;

  private constructor(parts: IndexedDocumentsParts, taken: string, passages: PassageStore) {
    this.#parts = parts;
    this.#taken = taken;
    this.#passages = passages;
  }

  /** @throws DocumentsError, EngineClosedError */
  static async open(parts: IndexedDocumentsParts): Promise<IndexedDocuments> {
    const { documents } = parts.configuration;
    const taken = documents === undefined ? '' : await fingerprintDocuments(documents);
    return new IndexedDocuments(parts, taken, await index(parts, {}));
  }

  nearest(vector: Float32Array, k: number, signal: AbortSignal): Promise<Source[]> {
    return this.#passages.nearest(vector, k, signal);
  }

  /** Indexes them again whenever they change, from now on. */
  watch(): void {
    const { documents, documentsCheckMs } = this.#parts.configuration;
    if (documents === undefined || documentsCheckMs === 0) return;
    this.#watch = new DocumentWatch({
      fingerprint: () => fingerprintDocuments(documents),
      taken: this.#taken,
      intervalMs: documentsCheckMs,
      clock: realClock,
      onChange: (signal) => this.#indexAgain(signal),
    });
  }

  async close(): Promise<void> {
    await this.#watch?.close();
  }

  async #indexAgain(signal: AbortSignal): Promise<void> {
    const { logger, metrics } = this.#parts;
    try {
      this.#passages = await index(this.#parts, { inUse: this.#passages, signal });
    } catch (error) {
      if (signal.aborted) return;
      metrics.documentsOutdated();
      logger.error(
        { reason: (error as Error).message },
        'the documents have changed and cannot be used: answers are drawn from the earlier ones',
      );
    }
  }
}

async function index(
  { configuration, engine, embedding, metrics, logger }: IndexedDocumentsParts,
  meanwhile: { readonly inUse?: PassageStore; readonly signal?: AbortSignal },
): Promise<PassageStore> {
  const { documents, passageTokens } = configuration;
  const startedAt = performance.now();
  const passages = await indexDocuments(documents === undefined ? DEFAULT_DOCUMENTS : loadDocuments(documents), {
    engine,
    embedding,
    passageTokens,
    onProgress: everyFewSeconds((embedded, total) => logger.info({ embedded, total }, 'indexing')),
    ...meanwhile,
  });
  metrics.documentsIndexed(passages.size);
  const durationMs = Math.round(performance.now() - startedAt);
  logger.info({ passages: passages.size, durationMs }, 'documents are indexed');
  return passages;
}

function everyFewSeconds(report: (embedded: number, total: number) => void): typeof report {
  let last = performance.now();
  return (embedded, total) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    report(embedded, total);
  };
}
