/** What a pod does before it is ready: load the models, index the documents, answer one question. */
import type { Batching, Engine, EngineOptions } from '@ragscale/inference/engine-api';
import { ServiceError } from '@ragscale/service/error-catalogue';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Logger } from 'pino';
import type { Answerer } from './answerer.ts';
import { WARM_UP_QUESTION } from './answering.ts';
import { BaselineAnswerer } from './baseline-answerer.ts';
import { BatchedAnswerer, type BatchedParts } from './batched-answerer.ts';
import type { Configuration } from './configuration.ts';
import { EmbeddingCache } from './embedding-cache.ts';
import type { GeneratorSource } from './generator/generator-source.ts';
import type { TextGenerator } from './generator/text-generator.ts';
import { IndexedDocuments } from './indexed-documents.ts';

export type StartEngine = (options: EngineOptions) => Promise<Engine>;

export interface StartUpParts {
  readonly configuration: Configuration;
  readonly startEngine: StartEngine;
  readonly metrics: PodMetrics;
  readonly logger: Logger;
}

/** @param embedder its folder @throws ModelFolderError, RuntimeError, DeviceError */
export function openEngine(
  embedder: string,
  generator: GeneratorSource,
  { configuration, metrics, startEngine }: StartUpParts,
): Promise<Engine> {
  return startEngine({
    embedder,
    ...generator.engineOptions,
    threads: configuration.threads,
    device: configuration.device,
    onRuns: (runs) => {
      for (const { stage, size } of runs) metrics.batchRan(stage, size);
    },
    batching: batchingOf(configuration),
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
export async function prepareAnswerer(
  engine: Engine,
  generator: TextGenerator,
  parts: StartUpParts,
): Promise<Prepared> {
  const embedding = embeddingOf(engine, parts);
  const documents = await IndexedDocuments.open({ ...parts, engine, embedding });
  const answerer = answererOf({ ...parts, generator, embedding, passages: documents });
  await warmUp(answerer, parts.logger);
  return { answerer, documents };
}

/** A refusal is no reason to stay away: the one of a server elsewhere may be over with the next question, and if not the log says why. */
async function warmUp(answerer: Answerer, logger: Logger): Promise<void> {
  const call = { signal: new AbortController().signal, deadlineAt: Number.POSITIVE_INFINITY };
  try {
    await answerer.answer(WARM_UP_QUESTION, call);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    logger.warn({ code: error.code, reason: error.message }, 'the first question could not be answered');
  }
}

/** What embeds: the engine itself where nothing is to be remembered. */
function embeddingOf(engine: Engine, { configuration, metrics }: StartUpParts): Pick<Engine, 'embed'> {
  const { variant, embeddingCacheMb, shareEmbeddings } = configuration;
  const maxBytes = embeddingCacheMb * 2 ** 20;
  const shares = shareEmbeddings === 'on';
  if (variant === 'baseline' || (maxBytes === 0 && !shares)) return engine;
  return new EmbeddingCache(engine, { maxBytes, shares, metrics });
}

function answererOf(parts: StartUpParts & Pick<BatchedParts, 'generator' | 'embedding' | 'passages'>): Answerer {
  const { configuration, metrics, generator, embedding, passages } = parts;
  const { variant, passageTokens, maxQueuedRequests: requests, maxQueuedTokens: tokens, refuseBeyond } = configuration;
  const common = { generator, embedding, passages, metrics, passageTokens, limits: { requests, tokens } };
  if (variant === 'baseline') return new BaselineAnswerer(common);
  const objectiveMs = refuseBeyond === 'objective' ? configuration.objectiveSeconds * 1000 : Number.POSITIVE_INFINITY;
  return new BatchedAnswerer({ ...common, objectiveMs });
}
