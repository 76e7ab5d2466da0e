/** Tokens in, text out: releases only whole characters, and nothing that may yet become a stop sequence. */

/** What U+FFFD at the end of decoded text means: a character whose last bytes are still to come. */
const INCOMPLETE = '\u{fffd}';
/** Bytes of the longest UTF-8 character, so the most tokens that a real character can keep back. */
const LONGEST_CHARACTER = 4;

export class TextStream {
  readonly #decode: (ids: readonly number[]) => string;
  readonly #stop: readonly string[];
  readonly #ids: number[] = [];
  /** Ids before this one are wholly in the text; decoding starts here for its left context. */
  #contextStart = 0;
  /** Ids before this one have been turned into text. */
  #decodedEnd = 0;
  /** Decoded, but kept back because a stop sequence may begin in it. */
  #held = '';
  #stopped = false;

  /** @param decode of a tokenizer; @param stop sequences, none of them empty */
  constructor(decode: (ids: readonly number[]) => string, stop: readonly string[]) {
    this.#decode = decode;
    this.#stop = stop;
  }

  /** True once a stop sequence was met: later tokens are ignored. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes the next token; returns the text that it completes, often one word, sometimes nothing. */
  push(id: number): string {
    if (this.#stopped) return '';
    this.#ids.push(id);
    return this.#release(this.#decodeNew(false), false);
  }

  /** No more tokens: returns whatever was kept back. */
  finish(): string {
    if (this.#stopped) return '';
    return this.#release(this.#decodeNew(true), true);
  }

  /** Decoding a token by itself loses its neighbours' spacing: decode from a few tokens before, and take the difference. */
  #decodeNew(last: boolean): string {
    const before = this.#decode(this.#ids.slice(this.#contextStart, this.#decodedEnd));
    const after = this.#decode(this.#ids.slice(this.#contextStart));
    const waiting = this.#ids.length - this.#decodedEnd;
    const incomplete = after.endsWith(INCOMPLETE) && waiting < LONGEST_CHARACTER;
    if (after.length <= before.length || (incomplete && !last)) return last ? after.slice(before.length) : '';
    this.#contextStart = this.#decodedEnd;
    this.#decodedEnd = this.#ids.length;
    return after.slice(before.length);
  }

  #release(text: string, last: boolean): string {
    this.#held += text;
    const cut = firstStop(this.#held, this.#stop);
    if (cut >= 0) {
      this.#stopped = true;
      return this.#held.slice(0, cut);
    }
    const keep = last ? 0 : longestBegunStop(this.#held, this.#stop);
    const free = this.#held.slice(0, this.#held.length - keep);
    this.#held = this.#held.slice(this.#held.length - keep);
    return free;
  }
}

/** Where the earliest stop sequence begins, or -1. */
function firstStop(text: string, stop: readonly string[]): number {
  const places = stop.map((sequence) => text.indexOf(sequence)).filter((place) => place >= 0);
  return places.length === 0 ? -1 : Math.min(...places);
}

/** Length of the longest end of `text` that begins a stop sequence. */
function longestBegunStop(text: string, stop: readonly string[]): number {
  let longest = 0;
  for (const sequence of stop) {
    for (let length = Math.min(sequence.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(sequence.slice(0, length))) longest = length;
    }
  }
  return longest;
}
