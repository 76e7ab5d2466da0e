/** Keeps the k best of a stream of scores in a bounded heap. */

export interface Hit {
  readonly index: number;
  readonly score: number;
}

/** Equal scores: the lower index is better, so that results do not depend on the order of work. */
export class TopK {
  /** A binary heap whose root is the worst of the best. */
  readonly #heap: Hit[] = [];
  readonly #k: number;

  /** @param k at least 1 */
  constructor(k: number) {
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`k must be a positive integer, not ${k}`);
    this.#k = k;
  }

  offer(index: number, score: number): void {
    const heap = this.#heap;
    if (heap.length < this.#k) {
      heap.push({ index, score });
      this.#siftUp(heap.length - 1);
      return;
    }
    const worst = heap[0];
    if (worst !== undefined && (score > worst.score || (score === worst.score && index < worst.index))) {
      heap[0] = { index, score };
      this.#siftDown();
    }
  }

  /** Best first. */
  best(): Hit[] {
    return this.#heap.toSorted((a, b) => b.score - a.score || a.index - b.index);
  }

  #siftUp(start: number): void {
    const heap = this.#heap;
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isWorse(heap[at], heap[parent])) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let worst = at;
      if (left < heap.length && isWorse(heap[left], heap[worst])) worst = left;
      if (right < heap.length && isWorse(heap[right], heap[worst])) worst = right;
      if (worst === at) return;
      this.#swap(at, worst);
      at = worst;
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const moved = heap[a] as Hit;
    heap[a] = heap[b] as Hit;
    heap[b] = moved;
  }
}

function isWorse(a: Hit | undefined, b: Hit | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.score < b.score || (a.score === b.score && a.index > b.index);
}
