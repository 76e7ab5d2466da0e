/** What happens next? A binary heap of events in typed arrays: a day has millions of them, and none is an object. */

const INITIAL_CAPACITY = 1024;

/** Events of one time come in the order in which they were pushed. */
export class EventHeap {
  /** Of the event that `pop` took last. */
  at = 0;
  kind = 0;
  subject = 0;
  version = 0;

  #size = 0;
  #pushed = 0;
  #ats = new Float64Array(INITIAL_CAPACITY);
  #orders = new Float64Array(INITIAL_CAPACITY);
  #kinds = new Uint8Array(INITIAL_CAPACITY);
  #subjects = new Int32Array(INITIAL_CAPACITY);
  #versions = new Int32Array(INITIAL_CAPACITY);

  /** When the next event is; Infinity where there is none. */
  get nextAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#ats[0]!;
  }

  get size(): number {
    return this.#size;
  }

  /** @param version tells an event that still holds from one that what happened since has made wrong: the owner compares */
  push(at: number, kind: number, subject = 0, version = 0): void {
    if (this.#size === this.#ats.length) this.#grow();
    const order = this.#pushed++;
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.#ats[parent]! < at || (this.#ats[parent]! === at && this.#orders[parent]! < order)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, at, order, kind, subject, version);
  }

  /** Takes the next event into `at`, `kind`, `subject` and `version`. @returns false where there is none */
  pop(): boolean {
    if (this.#size === 0) return false;
    this.at = this.#ats[0]!;
    this.kind = this.#kinds[0]!;
    this.subject = this.#subjects[0]!;
    this.version = this.#versions[0]!;
    const last = --this.#size;
    if (last > 0) this.#sink(last);
    return true;
  }

  /** Puts the event at `from` where it belongs, beginning at the empty top. */
  #sink(from: number): void {
    const at = this.#ats[from]!;
    const order = this.#orders[from]!;
    let hole = 0;
    for (let child = 1; child < this.#size; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < this.#size && this.#isBefore(right, this.#ats[child]!, this.#orders[child]!)) child = right;
      if (!this.#isBefore(child, at, order)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#move(from, hole);
  }

  #isBefore(index: number, at: number, order: number): boolean {
    return this.#ats[index]! < at || (this.#ats[index]! === at && this.#orders[index]! < order);
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#ats[from]!,
      this.#orders[from]!,
      this.#kinds[from]!,
      this.#subjects[from]!,
      this.#versions[from]!,
    );
  }

  #put(index: number, at: number, order: number, kind: number, subject: number, version: number): void {
    this.#ats[index] = at;
    this.#orders[index] = order;
    this.#kinds[index] = kind;
    this.#subjects[index] = subject;
    this.#versions[index] = version;
  }

  #grow(): void {
    const capacity = 2 * this.#ats.length;
    const grownFloats = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(capacity);
      grown.set(old);
      return grown;
    };
    const grownIntegers = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(capacity);
      grown.set(old);
      return grown;
    };
    this.#ats = grownFloats(this.#ats);
    this.#orders = grownFloats(this.#orders);
    const kinds = new Uint8Array(capacity);
    kinds.set(this.#kinds);
    this.#kinds = kinds;
    this.#subjects = grownIntegers(this.#subjects);
    this.#versions = grownIntegers(this.#versions);
  }
}
