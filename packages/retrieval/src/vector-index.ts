/** Which passages are nearest to a question: exact cosine over all of them, in slices that let the event loop turn. */
import { type Pause, turnOfTheLoop } from './pause.ts';
import { type Hit, TopK } from './top-k.ts';

/** Multiplications between two turns of the event loop: about a millisecond. */
const BLOCK_PRODUCTS = 1_000_000;

/** How far from 1 the length of a vector may be: half precision lies within. */
const LENGTH_TOLERANCE = 0.01;

export interface SearchOptions {
  readonly signal?: AbortSignal;
  readonly pause?: Pause;
}

/** Rows are L2-normalised vectors in one array, so a cosine is a dot product. */
export class VectorIndex {
  readonly dimensions: number;
  readonly capacity: number;
  readonly #rows: Float32Array;
  #size = 0;

  /** @param capacity how many vectors will be added at most */
  constructor(dimensions: number, capacity: number) {
    if (!Number.isInteger(dimensions) || dimensions < 1)
      throw new RangeError(`not a number of dimensions: ${dimensions}`);
    this.dimensions = dimensions;
    this.capacity = capacity;
    this.#rows = new Float32Array(dimensions * capacity);
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Adds a vector as the next row.
   * @returns its index
   * @throws RangeError when it has other dimensions, is not normalised, or the index is full
   */
  add(vector: Float32Array): number {
    if (this.#size === this.capacity) throw new RangeError(`the index is full: it holds ${this.capacity} vectors`);
    this.#check(vector);
    this.#rows.set(vector, this.#size * this.dimensions);
    this.#size += 1;
    return this.#size - 1;
  }

  /** A row, not to be changed. */
  vector(index: number): Float32Array {
    return this.#rows.subarray(index * this.dimensions, (index + 1) * this.dimensions);
  }

  /**
   * The `k` rows of the highest cosine, best first, equal ones by lower index; all rows where there are fewer.
   * @throws RangeError for a vector or k that makes no sense, and the signal's reason when it aborts
   */
  async search(query: Float32Array, k: number, { signal, pause = turnOfTheLoop }: SearchOptions = {}): Promise<Hit[]> {
    this.#check(query);
    const top = new TopK(k);
    const block = Math.max(1, Math.floor(BLOCK_PRODUCTS / this.dimensions));
    for (let start = 0; start < this.#size; start += block) {
      if (start > 0) await pause();
      signal?.throwIfAborted();
      this.#scan(query, top, start, Math.min(start + block, this.#size));
    }
    return top.best();
  }

  #scan(query: Float32Array, top: TopK, start: number, end: number): void {
    const rows = this.#rows;
    const dimensions = this.dimensions;
    for (let row = start; row < end; row += 1) {
      const offset = row * dimensions;
      let score = 0;
      for (let at = 0; at < dimensions; at += 1) score += (rows[offset + at] as number) * (query[at] as number);
      top.offer(row, score);
    }
  }

  #check(vector: Float32Array): void {
    if (vector.length !== this.dimensions)
      throw new RangeError(`a vector of ${vector.length} dimensions in an index of ${this.dimensions}`);
    let square = 0;
    for (const value of vector) square += value * value;
    if (!(Math.abs(Math.sqrt(square) - 1) <= LENGTH_TOLERANCE))
      throw new RangeError(`a vector of length ${Math.sqrt(square)} is not normalised`);
  }
}
