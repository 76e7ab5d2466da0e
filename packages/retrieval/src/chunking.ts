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

/**
 * The passages of a document, in order. Every character that is not white space is in exactly one of them.
 * @throws RangeError when a single character has more than `maxTokens`
 */
export async function* passagesOf(document: SourceDocument, options: ChunkingOptions): AsyncGenerator<Passage, void> {
  const { text, id } = document;
  const pause = slicedPause(options.pause);
  let number = 0;
  for await (const span of spansOf(text, measuredPieces(document, options), options)) {
    number += 1;
    yield { id: `${id}#${number}`, text: text.slice(span.start, span.end) };
    await pause();
  }
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
  document: SourceDocument,
  options: ChunkingOptions,
): AsyncGenerator<MeasuredPiece, void> {
  const { text, format } = document;
  const pause = slicedPause(options.pause);
  const specialTokens = await countSpecial(options);
  let batch: Piece[] = [];
  for (const piece of piecesOf(text, format)) {
    batch.push(piece);
    await pause();
    if (batch.length < BATCH) continue;
    yield* measure(text, batch, specialTokens, options, pause);
    batch = [];
  }
  yield* measure(text, batch, specialTokens, options, pause);
}

/** Counts pieces and divides those that are too long, until every one fits into a passage. */
async function* measure(
  text: string,
  pieces: readonly Piece[],
  specialTokens: number,
  options: ChunkingOptions,
  pause: Pause,
): AsyncGenerator<MeasuredPiece, void> {
  const counts = await countPieces(text, pieces, options);
  for (const [index, piece] of pieces.entries()) {
    const tokens = (counts[index] ?? Number.POSITIVE_INFINITY) - specialTokens;
    if (tokens + specialTokens <= options.maxTokens) {
      yield { ...piece, tokens };
      continue;
    }
    let finer: Piece[] = [];
    for (const part of finerPieces(text, piece)) {
      if (part.end - part.start === piece.end - piece.start) {
        throw new RangeError(
          `a single character has more than ${options.maxTokens} tokens: allow more tokens per passage`,
        );
      }
      finer.push(part);
      await pause();
      if (finer.length < BATCH) continue;
      yield* measure(text, finer, specialTokens, options, pause);
      finer = [];
    }
    yield* measure(text, finer, specialTokens, options, pause);
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

async function countSpecial({ countTokens }: ChunkingOptions): Promise<number> {
  const [tokens] = await countTokens(['']);
  return tokens ?? 0;
}

/** Packs pieces into passages, as many as fit; a heading begins a new one. */
async function* spansOf(
  text: string,
  pieces: AsyncIterable<MeasuredPiece>,
  options: ChunkingOptions,
): AsyncGenerator<Span, void> {
  const limit = options.maxTokens - (await countSpecial(options));
  let packed: MeasuredPiece[] = [];
  let tokens = 0;
  const full: MeasuredPiece[][] = [];
  for await (const piece of pieces) {
    const beginsSection = piece.kind === 'heading' && packed.some((earlier) => earlier.kind !== 'heading');
    if (packed.length > 0 && (beginsSection || tokens + piece.tokens > limit)) {
      full.push(packed);
      packed = [];
      tokens = 0;
      if (full.length >= BATCH) yield* verified(text, full.splice(0), options);
    }
    packed.push(piece);
    tokens += piece.tokens;
  }
  if (packed.length > 0) full.push(packed);
  yield* verified(text, full, options);
}

/** A tokenizer may count a whole differently from its parts: a passage that came out too long is halved. */
async function* verified(
  text: string,
  groups: readonly MeasuredPiece[][],
  options: ChunkingOptions,
): AsyncGenerator<Span, void> {
  if (groups.length === 0) return;
  const spans = groups.map((group) => ({ start: group[0]?.start ?? 0, end: group.at(-1)?.end ?? 0 }));
  const counts = await options.countTokens(spans.map((span) => text.slice(span.start, span.end)));
  for (const [index, group] of groups.entries()) {
    const span = spans[index];
    if (span === undefined) continue;
    if (group.length === 1 || (counts[index] ?? 0) <= options.maxTokens) yield span;
    else {
      const half = Math.ceil(group.length / 2);
      yield* verified(text, [group.slice(0, half), group.slice(half)], options);
    }
  }
}
