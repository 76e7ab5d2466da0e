/** Turns documents into a store of passages: when a pod starts, and beside its work when they have changed. */
import type { Engine } from '@ragscale/inference/engine-api';
import { createChunker, type Passage } from '@ragscale/retrieval/chunking';
import { DocumentsError } from '@ragscale/retrieval/document-files';
import type { SourceDocument } from '@ragscale/retrieval/documents';
import { VectorIndex } from '@ragscale/retrieval/vector-index';
import { PassageStore } from './passage-store.ts';

/** Passages per message to the engine. */
const EMBED_BATCH = 32;

/** While questions are answered: one run of the embedder holds up every answer that is being written. */
const EMBED_BATCH_MEANWHILE = 8;

/** Behind every question in the lines of the engine. */
const LAST_IN_LINE = Number.MAX_SAFE_INTEGER;

/** A rule or the frame of a table alone answers nothing, but may be near to any question. */
const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

export interface IndexingOptions {
  readonly engine: Pick<Engine, 'countTokens' | 'embedder'>;
  /** The engine, or a cache in front of it. */
  readonly embedding: Pick<Engine, 'embed'>;
  /** Tokens of a passage at most; never more than the embedder takes. */
  readonly passageTokens: number;
  readonly onProgress?: (embedded: number, total: number) => void;
  /** What questions are answered from meanwhile: they go first, and passages that are in it are not embedded again. */
  readonly inUse?: PassageStore;
  readonly signal?: AbortSignal;
}

/** @throws DocumentsError, RangeError when a passage cannot be made small enough, EngineClosedError, and the signal's reason when it aborts */
export async function indexDocuments(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  options: IndexingOptions,
): Promise<PassageStore> {
  const { engine, onProgress, inUse, signal } = options;
  const { hidden, maxTokens } = engine.embedder.dimensions;
  const chunk = await createChunker({
    maxTokens: Math.min(options.passageTokens, maxTokens),
    countTokens: (texts) => {
      signal?.throwIfAborted();
      return engine.countTokens(texts);
    },
  });
  const passages: Passage[] = [];
  for await (const document of documents) {
    for await (const passage of chunk(document)) if (SAYS_SOMETHING.test(passage.text)) passages.push(passage);
  }
  if (passages.length === 0) {
    throw new DocumentsError('the documents hold no letter and no digit: name others in DOCUMENTS');
  }
  const index = new VectorIndex(hidden, passages.length);
  const known = inUse?.vectorsByText() ?? new Map<string, Float32Array>();
  const batch = inUse === undefined ? EMBED_BATCH : EMBED_BATCH_MEANWHILE;
  for (let start = 0; start < passages.length; start += batch) {
    signal?.throwIfAborted();
    const texts = passages.slice(start, start + batch).map((passage) => passage.text);
    for (const vector of await vectorsOf(texts, known, options)) index.add(vector);
    onProgress?.(index.size, passages.length);
  }
  return new PassageStore(passages, index);
}

async function vectorsOf(
  texts: readonly string[],
  known: ReadonlyMap<string, Float32Array>,
  { embedding, inUse, signal }: IndexingOptions,
): Promise<Float32Array[]> {
  const missing = texts.filter((text) => !known.has(text));
  const order = inUse === undefined ? undefined : LAST_IN_LINE;
  const { vectors } =
    missing.length === 0 ? { vectors: [] } : await embedding.embed(missing, 'passage', { order, signal });
  const embedded = vectors.values();
  return texts.map((text) => known.get(text) ?? (embedded.next().value as Float32Array));
}
