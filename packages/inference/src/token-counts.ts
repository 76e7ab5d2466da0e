/** Counts the tokens of many texts a few at a time, so that answers go on while documents are being read. */

/** Texts of one step: well under a millisecond each. */
const TEXTS_PER_STEP = 16;

interface Counting {
  readonly id: number;
  readonly texts: readonly string[];
  readonly counts: number[];
}

export class TokenCounts {
  readonly #count: (text: string) => number;
  readonly #line: Counting[] = [];

  constructor(count: (text: string) => number) {
    this.#count = count;
  }

  get waiting(): boolean {
    return this.#line.length > 0;
  }

  add(id: number, texts: readonly string[]): void {
    this.#line.push({ id, texts, counts: [] });
  }

  withdraw(id: number): void {
    const place = this.#line.findIndex((entry) => entry.id === id);
    if (place >= 0) this.#line.splice(place, 1);
  }

  /** Counts the next few texts of the first in line; returns it when all of its texts are counted. */
  step(): { readonly id: number; readonly counts: number[] } | undefined {
    const first = this.#line[0];
    if (first === undefined) return undefined;
    const { texts, counts } = first;
    for (const text of texts.slice(counts.length, counts.length + TEXTS_PER_STEP)) counts.push(this.#count(text));
    if (counts.length < texts.length) return undefined;
    return this.#line.shift();
  }
}
