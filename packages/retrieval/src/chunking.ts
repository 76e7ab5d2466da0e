/** Cuts documents into passages that end at sentences and hold at most so many tokens. */
import type { SourceDocument } from './documents.ts';
import { type Pause, slicedPause } from './pause.ts';
import { finerPieces, MAX_PIECE_LENGTH, type Piece, piecesOf } from './text-pieces.ts';

export interface Passage {
  /** The document's id, `#`, and the passage's number in it from 1: `guide.md#3`. */
  readonly id: string;
  /** A stretch of the document, unchanged. */
  readonly text: string;
}

/** How many tokens each text has, special ones included. Asynchronous and in batches: the tokenizer lives in another thread. */
export type TokenCounter = (texts: readonly string[]) => Promise<readonly number[]>;

export interface ChunkingOptions {
  /** Tokens of a passage at most, special ones included. */
  readonly maxTokens: number;
  readonly countTokens: TokenCounter;
  readonly pause?: Pause;
}

/** Texts per call of the counter. */
const BATCH = 256;

/** Gives the passages of a document, in order. Every character that is not white space is in exactly one of them. */
export type Chunker = (document: SourceDocument) => AsyncGenerator<Passage, void>;

/**
 * A chunker for one tokenizer and limit.
 * @throws RangeError, while it runs, when a single character has more than `maxTokens`
 */
export async function createChunker(options: ChunkingOptions): Promise<Chunker> {
  const [specialTokens = 0] = await options.countTokens(['']);
  const chunking = { ...options, specialTokens, pause: slicedPause(options.pause) };
  return async function* ({ id, text, format }) {
    let number = 0;
    for await (const span of spansOf(text, measuredPieces(text, format, chunking), chunking)) {
      number += 1;
      yield { id: `${id}#${number}`, text: text.slice(span.start, span.end) };
    }
  };
}

/** The passages of a single document; for many, one chunker asks the tokenizer less. */
export async function* passagesOf(document: SourceDocument, options: ChunkingOptions): AsyncGenerator<Passage, void> {
  const chunk = await createChunker(options);
  yield* chunk(document);
}

interface Chunking extends ChunkingOptions {
  /** What the tokenizer adds to every text. */
  readonly specialTokens: number;
  readonly pause: Pause;
}

/** A piece and its tokens, special ones excluded. */
interface MeasuredPiece extends Piece {
  readonly tokens: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

async function* measuredPieces(
  text: string,
  format: SourceDocument['format'],
  chunking: Chunking,
): AsyncGenerator<MeasuredPiece, void> {
  let batch: Piece[] = [];
  for (const piece of piecesOf(text, format)) {
    batch.push(piece);
    await chunking.pause();
    if (batch.length < BATCH) continue;
    yield* measure(text, batch, chunking);
    batch = [];
  }
  yield* measure(text, batch, chunking);
}

/** Counts pieces and divides those that are too long, until every one fits into a passage. */
async function* measure(
  text: string,
  pieces: readonly Piece[],
  chunking: Chunking,
): AsyncGenerator<MeasuredPiece, void> {
  const { specialTokens, maxTokens, pause } = chunking;
  const counts = await countPieces(text, pieces, chunking);
  for (const [index, piece] of pieces.entries()) {
    const tokens = (counts[index] ?? Number.POSITIVE_INFINITY) - specialTokens;
    if (tokens + specialTokens <= maxTokens) {
      yield { ...piece, tokens };
      continue;
    }
    let finer: Piece[] = [];
    for (const part of finerPieces(text, piece)) {
      if (part.end - part.start === piece.end - piece.start) {
        throw new RangeError(`a single character has more than ${maxTokens} tokens: allow more tokens per passage`);
      }
      finer.push(part);
      await pause();
      if (finer.length < BATCH) continue;
      yield* measure(text, finer, chunking);
      finer = [];
    }
    yield* measure(text, finer, chunking);
  }
}

/** Tokens per piece; infinitely many for one that is not worth counting. */
async function countPieces(
  text: string,
  pieces: readonly Piece[],
  { countTokens }: ChunkingOptions,
): Promise<number[]> {
  const short = pieces.filter((piece) => piece.end - piece.start <= MAX_PIECE_LENGTH);
  if (short.length === 0) return pieces.map(() => Number.POSITIVE_INFINITY);
  const counts = (await countTokens(short.map((piece) => text.slice(piece.start, piece.end)))).values();
  return pieces.map((piece) =>
    piece.end - piece.start <= MAX_PIECE_LENGTH ? (counts.next().value ?? 0) : Number.POSITIVE_INFINITY,
  );
}

/** Packs pieces into passages, as many as fit; a heading begins a new one. */
async function* spansOf(
  text: string,
  pieces: AsyncIterable<MeasuredPiece>,
  chunking: Chunking,
): AsyncGenerator<Span, void> {
  const limit = chunking.maxTokens - chunking.specialTokens;
  let packed: MeasuredPiece[] = [];
  let tokens = 0;
  const full: MeasuredPiece[][] = [];
  for await (const piece of pieces) {
    const beginsSection = piece.kind === 'heading' && packed.some((earlier) => earlier.kind !== 'heading');
    if (packed.length > 0 && (beginsSection || tokens + piece.tokens > limit)) {
      full.push(packed);
      packed = [];
      tokens = 0;
      if (full.length >= BATCH) yield* verified(text, full.splice(0), chunking);
    }
    packed.push(piece);
    tokens += piece.tokens;
  }
  if (packed.length > 0) full.push(packed);
  yield* verified(text, full, chunking);
}

/** A tokenizer may count a whole differently from its parts: a passage that came out too long is halved. */
async function* verified(
  text: string,
  groups: readonly MeasuredPiece[][],
  chunking: Chunking,
): AsyncGenerator<Span, void> {
  const spans = groups.map((group) => ({ start: group[0]?.start ?? 0, end: group.at(-1)?.end ?? 0 }));
  const counts = await countSpans(text, groups, spans, chunking);
  for (const [index, group] of groups.entries()) {
    const span = spans[index] as Span;
    if ((counts[index] ?? 0) <= chunking.maxTokens) yield span;
    else {
      const half = Math.ceil(group.length / 2);
      yield* verified(text, [group.slice(0, half), group.slice(half)], chunking);
    }
  }
}

/** A group of one piece was counted before: 0 stands for 'fits'. */
async function countSpans(
  text: string,
  groups: readonly MeasuredPiece[][],
  spans: readonly Span[],
  { countTokens }: Chunking,
): Promise<number[]> {
  const joined = spans.filter((_, index) => (groups[index]?.length ?? 0) > 1);
  if (joined.length === 0) return [];
  const counts = (await countTokens(joined.map((span) => text.slice(span.start, span.end)))).values();
  return groups.map((group) => (group.length > 1 ? (counts.next().value ?? 0) : 0));
}
