/** What a pod does before it is ready: load the models, index the documents, answer one question. */
import type { Batching, Engine, EngineOptions } from '@ragscale/inference/engine-api';
import { DEFAULT_DOCUMENTS } from '@ragscale/retrieval/default-documents';
import { loadDocuments } from '@ragscale/retrieval/documents';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Logger } from 'pino';
import type { Answerer } from './answerer.ts';
import { WARM_UP_QUESTION } from './answering.ts';
import { BaselineAnswerer } from './baseline-answerer.ts';
import { BatchedAnswerer, type BatchedParts } from './batched-answerer.ts';
import type { Configuration } from './configuration.ts';
import { EmbeddingCache } from './embedding-cache.ts';
import { indexDocuments } from './indexing.ts';

export type StartEngine = (options: EngineOptions) => Promise<Engine>;

export interface StartUpParts {
  readonly configuration: Configuration;
  readonly startEngine: StartEngine;
  readonly metrics: PodMetrics;
  readonly logger: Logger;
}

/** Between two lines of the log about a long indexing, in milliseconds. */
const PROGRESS_MS = 5_000;

/** @throws ModelFolderError, RuntimeError */
export function openEngine({ configuration, metrics, startEngine }: StartUpParts): Promise<Engine> {
  return startEngine({
    embedder: configuration.embedder,
    generator: configuration.generator,
    threads: configuration.threads,
    slots: configuration.slots,
    onRuns: (runs) => {
      for (const { stage, size } of runs) metrics.batchRan(stage, size);
    },
    batching: batchingOf(configuration),
    ...(configuration.context === undefined ? {} : { context: configuration.context }),
  });
}

function batchingOf(configuration: Configuration): Partial<Batching> {
  const { variant, maxBatchSize, maxWaitingSeconds, prefillTokens, prefixSharing } = configuration;
  if (variant === 'baseline') return { sharePrefixes: false };
  return {
    maxEmbedTexts: maxBatchSize,
    embedWaitMs: maxWaitingSeconds * 1000,
    prefillTokens,
    sharePrefixes: prefixSharing === 'on',
  };
}

/** @throws DocumentsError, EngineClosedError */
export async function prepareAnswerer(engine: Engine, parts: StartUpParts): Promise<Answerer> {
  const { configuration, logger } = parts;
  const { passageTokens } = configuration;
  const embedding = embeddingOf(engine, parts);
  const documents = configuration.documents === undefined ? DEFAULT_DOCUMENTS : loadDocuments(configuration.documents);
  const startedAt = performance.now();
  const passages = await indexDocuments(documents, {
    engine,
    embedding,
    passageTokens,
    onProgress: everyFewSeconds((embedded, total) => logger.info({ embedded, total }, 'indexing')),
  });
  logger.info(
    { passages: passages.size, durationMs: Math.round(performance.now() - startedAt) },
    'documents are indexed',
  );
  const answerer = answererOf(engine, { ...parts, embedding, passages });
  await answerer.answer(WARM_UP_QUESTION, {
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
  });
  return answerer;
}

/** What embeds: the engine itself where nothing is to be remembered. */
function embeddingOf(engine: Engine, { configuration, metrics }: StartUpParts): Pick<Engine, 'embed'> {
  const { variant, embeddingCacheMb, shareEmbeddings } = configuration;
  const maxBytes = embeddingCacheMb * 2 ** 20;
  const shares = shareEmbeddings === 'on';
  if (variant === 'baseline' || (maxBytes === 0 && !shares)) return engine;
  return new EmbeddingCache(engine, { maxBytes, shares, metrics });
}

function answererOf(engine: Engine, parts: StartUpParts & Pick<BatchedParts, 'embedding' | 'passages'>): Answerer {
  const { configuration, metrics, embedding, passages } = parts;
  const { variant, passageTokens, maxQueuedRequests: requests, maxQueuedTokens: tokens, refuseBeyond } = configuration;
  const common = { engine, passages, metrics, passageTokens, limits: { requests, tokens } };
  if (variant === 'baseline') return new BaselineAnswerer(common);
  const objectiveMs = refuseBeyond === 'objective' ? configuration.objectiveSeconds * 1000 : Number.POSITIVE_INFINITY;
  return new BatchedAnswerer({ ...common, embedding, objectiveMs });
}

function everyFewSeconds(report: (embedded: number, total: number) => void): typeof report {
  let last = performance.now();
  return (embedded, total) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    report(embedded, total);
  };
}
