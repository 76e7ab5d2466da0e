/** Turns documents into a store of passages when a pod starts. */
import type { Engine } from '@ragscale/inference/engine-api';
import { createChunker, type Passage } from '@ragscale/retrieval/chunking';
import { DocumentsError } from '@ragscale/retrieval/document-files';
import type { SourceDocument } from '@ragscale/retrieval/documents';
import { VectorIndex } from '@ragscale/retrieval/vector-index';
import { PassageStore } from './passage-store.ts';

/** Passages per message to the engine. */
const EMBED_BATCH = 32;

/** A rule or the frame of a table alone answers nothing, but may be near to any question. */
const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

export interface IndexingOptions {
  readonly engine: Pick<Engine, 'countTokens' | 'embedder'>;
  /** The engine, or a cache in front of it. */
  readonly embedding: Pick<Engine, 'embed'>;
  /** Tokens of a passage at most; never more than the embedder takes. */
  readonly passageTokens: number;
  readonly onProgress?: (embedded: number, total: number) => void;
}

/** @throws DocumentsError, RangeError when a passage cannot be made small enough, EngineClosedError */
export async function indexDocuments(
  documents: AsyncIterable<SourceDocument> | Iterable<SourceDocument>,
  { engine, embedding, passageTokens, onProgress }: IndexingOptions,
): Promise<PassageStore> {
  const { hidden, maxTokens } = engine.embedder.dimensions;
  const chunk = await createChunker({
    maxTokens: Math.min(passageTokens, maxTokens),
    countTokens: (texts) => engine.countTokens(texts),
  });
  const passages: Passage[] = [];
  for await (const document of documents) {
    for await (const passage of chunk(document)) if (SAYS_SOMETHING.test(passage.text)) passages.push(passage);
  }
  if (passages.length === 0) {
    throw new DocumentsError('the documents hold no letter and no digit: name others in DOCUMENTS');
  }
  const index = new VectorIndex(hidden, passages.length);
  for (let start = 0; start < passages.length; start += EMBED_BATCH) {
    const texts = passages.slice(start, start + EMBED_BATCH).map((passage) => passage.text);
    const { vectors } = await embedding.embed(texts, 'passage');
    for (const vector of vectors) index.add(vector);
    onProgress?.(index.size, passages.length);
  }
  return new PassageStore(passages, index);
}
