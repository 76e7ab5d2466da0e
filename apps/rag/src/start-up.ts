/** What a pod does before it is ready: load the models, index the documents, answer one question. */
import type { Batching, Engine, EngineOptions } from '@ragscale/inference/engine-api';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Logger } from 'pino';
import type { Answerer } from './answerer.ts';
import { WARM_UP_QUESTION } from './answering.ts';
import { BaselineAnswerer } from './baseline-answerer.ts';
import { BatchedAnswerer, type BatchedParts } from './batched-answerer.ts';
import type { Configuration } from './configuration.ts';
import { EmbeddingCache } from './embedding-cache.ts';
import { IndexedDocuments } from './indexed-documents.ts';

export type StartEngine = (options: EngineOptions) => Promise<Engine>;

export interface StartUpParts {
  readonly configuration: Configuration;
  readonly startEngine: StartEngine;
  readonly metrics: PodMetrics;
  readonly logger: Logger;
}

/** @throws ModelFolderError, RuntimeError, DeviceError */
export function openEngine({ configuration, metrics, startEngine }: StartUpParts): Promise<Engine> {
  return startEngine({
    embedder: configuration.embedder,
    generator: configuration.generator,
    threads: configuration.threads,
    slots: configuration.slots,
    device: configuration.device,
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

export interface Prepared {
  readonly answerer: Answerer;
  /** To be watched, and closed before the engine. */
  readonly documents: IndexedDocuments;
}

/** @throws DocumentsError, EngineClosedError */
export async function prepareAnswerer(engine: Engine, parts: StartUpParts): Promise<Prepared> {
  const embedding = embeddingOf(engine, parts);
  const documents = await IndexedDocuments.open({ ...parts, engine, embedding });
  const answerer = answererOf(engine, { ...parts, embedding, passages: documents });
  await answerer.answer(WARM_UP_QUESTION, {
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
  });
  return { answerer, documents };
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
