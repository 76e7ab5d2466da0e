/** Which passages answer a question: passages beside the index of their vectors. */
import type { Passage } from '@ragscale/retrieval/chunking';
import type { VectorIndex } from '@ragscale/retrieval/vector-index';
import type { Source } from './answerer.ts';

export class PassageStore {
  readonly #passages: readonly Passage[];
  readonly #index: VectorIndex;

  /** @param index its row `i` is the vector of passage `i` */
  constructor(passages: readonly Passage[], index: VectorIndex) {
    if (passages.length !== index.size) throw new RangeError(`${passages.length} passages and ${index.size} vectors`);
    this.#passages = passages;
    this.#index = index;
  }

  get size(): number {
    return this.#passages.length;
  }

  /** Texts that are here with their vectors, for an index that has many of them again. */
  vectorsByText(): Map<string, Float32Array> {
    return new Map(this.#passages.map(({ text }, index) => [text, this.#index.vector(index)]));
  }

  /** The `k` nearest passages, best first. */
  async nearest(vector: Float32Array, k: number, signal: AbortSignal): Promise<Source[]> {
    const hits = await this.#index.search(vector, k, { signal });
    return hits.map(({ index, score }) => {
      const { id, text } = this.#passages[index] as Passage;
      return { id, score, text };
    });
  }
}
