/** Where a text may be divided: sentences, list items, code blocks, headings. Pure; offsets only, nothing is copied or lost. */

/** A stretch of the text, `[start, end)` in UTF-16 code units, without white space at its ends. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  /** A heading begins a new passage; code divides at lines first. */
  readonly kind: 'heading' | 'text' | 'code';
}

/** A block longer than this is never one piece: counting its tokens would be slow, and it could not fit anyway. */
export const MAX_PIECE_LENGTH = 2_000;

const HEADING = /^ {0,3}#{1,6}(\s|$)/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST_ITEM = /^\s*([-*+]|\d{1,9}[.)])\s+\S/;
const TABLE_ROW = /^\s*\|/;

/** The pieces of a text in order; together they hold every character that is not white space. */
export function* piecesOf(text: string, format: 'plain' | 'markdown'): Generator<Piece, void> {
  for (const block of format === 'markdown' ? markdownBlocks(text) : paragraphs(text)) {
    const piece = trimmed(text, block.start, block.end, block.kind);
    if (piece === undefined) continue;
    const whole = block.kind !== 'text' || block.atomic;
    if (whole && piece.end - piece.start <= MAX_PIECE_LENGTH) yield piece;
    else yield* cutAt(text, piece, block.kind === 'code' ? lineEnds : sentenceEnds);
  }
}

/**
 * Divides a piece at the coarsest place there is: code at lines, text at sentences, then at white space, at the words
 * of scripts without spaces, and only a single "word" that is too long for any passage (an encoded picture) between
 * characters as a reader sees them, so never within a surrogate pair. A single such character comes back as it is.
 */
export function* finerPieces(text: string, piece: Piece): Generator<Piece, void> {
  const cuts = [
    sentenceEnds,
    wordEnds,
    segmentEnds('word', 1),
    segmentEnds('grapheme', RUN_LENGTH),
    segmentEnds('grapheme', 1),
  ];
  for (const cut of piece.kind === 'code' ? [lineEnds, ...cuts] : cuts) {
    const parts = cutAt(text, piece, cut);
    const first = parts.next();
    if (first.done || first.value.end === piece.end) continue;
    yield first.value;
    yield* parts;
    return;
  }
  yield piece;
}

/** Yields the offsets at which a text may be cut, ascending. */
type Cut = (text: string) => Iterable<number>;

function* cutAt(text: string, { start, end, kind }: Piece, cut: Cut): Generator<Piece, void> {
  let from = start;
  for (const offset of cut(text.slice(start, end))) {
    const part = trimmed(text, from, start + offset, kind);
    if (part !== undefined) yield part;
    from = start + offset;
  }
  const last = trimmed(text, from, end, kind);
  if (last !== undefined) yield last;
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly kind: Piece['kind'];
  /** Kept whole where it fits. */
  readonly atomic: boolean;
}

function* paragraphs(text: string): Generator<Block, void> {
  let start = -1;
  for (const line of lines(text)) {
    if (line.blank) {
      if (start >= 0) yield { start, end: line.start, kind: 'text', atomic: false };
      start = -1;
    } else if (start < 0) start = line.start;
  }
  if (start >= 0) yield { start, end: text.length, kind: 'text', atomic: false };
}

function* markdownBlocks(text: string): Generator<Block, void> {
  let open: Omit<Block, 'end'> | undefined;
  let fence: string | undefined;
  for (const line of lines(text)) {
    const content = line.blank ? '' : text.slice(line.start, Math.min(line.end, line.start + 200));
    if (fence !== undefined) {
      const closing = FENCE.exec(content)?.[1];
      if (closing?.startsWith(fence) && content.trim() === closing) {
        if (open) yield { ...open, end: line.end };
        open = undefined;
        fence = undefined;
      }
      continue;
    }
    fence = FENCE.exec(content)?.[1];
    const begin = fence !== undefined ? 'code' : blockBegins(content, line.blank);
    if (begin === 'continues') {
      open ??= { start: line.start, kind: 'text', atomic: false };
      continue;
    }
    if (open) yield { ...open, end: line.start };
    open = undefined;
    if (begin === 'heading') yield { start: line.start, end: line.end, kind: 'heading', atomic: true };
    else if (begin === 'code') open = { start: line.start, kind: 'code', atomic: true };
    else if (begin === 'item') open = { start: line.start, kind: 'text', atomic: true };
  }
  if (open) yield { ...open, end: text.length };
}

function blockBegins(line: string, blank: boolean): 'blank' | 'heading' | 'item' | 'continues' {
  if (blank) return 'blank';
  if (HEADING.test(line)) return 'heading';
  if (LIST_ITEM.test(line) || TABLE_ROW.test(line)) return 'item';
  return 'continues';
}

interface Line {
  readonly start: number;
  /** After the line feed. */
  readonly end: number;
  readonly blank: boolean;
}

function* lines(text: string): Generator<Line, void> {
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed + 1;
    yield { start, end, blank: text.slice(start, end).trim() === '' };
    start = end;
  }
}

function trimmed(text: string, start: number, end: number, kind: Piece['kind']): Piece | undefined {
  const part = text.slice(start, end);
  const from = start + (part.length - part.trimStart().length);
  const to = end - (part.length - part.trimEnd().length);
  return from < to ? { start: from, end: to, kind } : undefined;
}

const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|cf|vs|al|fig|eq|no|vol|pp?|dr|mr|mrs|ms|prof|st|approx|resp|ca|\p{L})$/iu;

/** Nothing follows the greedy parts of the pattern, so it never backtracks: a megabyte of dots is one match. */
const STOP = /[.!?…]+["'”’)\]]*|[。！？]+["'”’）」』]*/gu;

function* sentenceEnds(text: string): Generator<number, void> {
  for (const { 0: stop, index } of text.matchAll(STOP)) {
    const end = index + stop.length;
    const wide = /^[。！？]/u.test(stop);
    if (!wide && end < text.length && !/\s/.test(text.charAt(end))) continue;
    if (stop === '.' && ABBREVIATION.test(text.slice(Math.max(0, index - 10), index))) continue;
    yield end;
  }
}

function* wordEnds(text: string): Generator<number, void> {
  for (const match of text.matchAll(/\S\s/gu)) yield match.index + match[0].length;
}

function* lineEnds(text: string): Generator<number, void> {
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) yield at + 1;
}

/** Code units that a cut within a "word" leaves together where it can: one by one, a long one would be a flood of pieces. */
const RUN_LENGTH = 16;

function segmentEnds(granularity: 'word' | 'grapheme', minLength: number): Cut {
  return function* (text) {
    const segmenter = new Intl.Segmenter('und', { granularity });
    let from = 0;
    for (const { index, segment } of segmenter.segment(text)) {
      const end = index + segment.length;
      if (end - from < minLength) continue;
      yield end;
      from = end;
    }
  };
}
