/** What a pod does before it is ready: load the models, index the documents, answer one question. */
import type { Engine, EngineOptions } from '@ragscale/inference/engine-api';
import { DEFAULT_DOCUMENTS } from '@ragscale/retrieval/default-documents';
import { loadDocuments } from '@ragscale/retrieval/documents';
import type { PodMetrics } from '@ragscale/service/pod-metrics';
import type { Logger } from 'pino';
import type { Answerer } from './answerer.ts';
import { WARM_UP_QUESTION } from './answering.ts';
import { BaselineAnswerer } from './baseline-answerer.ts';
import type { Configuration } from './configuration.ts';
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
    ...(configuration.context === undefined ? {} : { context: configuration.context }),
  });
}

/** @throws DocumentsError, EngineClosedError */
export async function prepareAnswerer(
  engine: Engine,
  { configuration, metrics, logger }: StartUpParts,
): Promise<Answerer> {
  const documents = configuration.documents === undefined ? DEFAULT_DOCUMENTS : loadDocuments(configuration.documents);
  const startedAt = performance.now();
  const passages = await indexDocuments(documents, {
    engine,
    passageTokens: configuration.passageTokens,
    onProgress: everyFewSeconds((embedded, total) => logger.info({ embedded, total }, 'indexing')),
  });
  logger.info(
    { passages: passages.size, durationMs: Math.round(performance.now() - startedAt) },
    'documents are indexed',
  );
  const answerer = new BaselineAnswerer({ engine, passages, metrics });
  await answerer.answer(WARM_UP_QUESTION, {
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
  });
  return answerer;
}

function everyFewSeconds(report: (embedded: number, total: number) => void): typeof report {
  let last = performance.now();
  return (embedded, total) => {
    if (performance.now() - last < PROGRESS_MS) return;
    last = performance.now();
    report(embedded, total);
  };
}
