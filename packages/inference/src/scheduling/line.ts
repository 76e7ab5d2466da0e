/** Who waits, in order: first come, first served. A deadline or a withdrawal only takes an entry out; it moves no other. */

interface Waiting {
  readonly id: number;
  readonly order: number;
  readonly deadlineAt: number;
}

export class Line<T extends Waiting> implements Iterable<T> {
  readonly #entries: T[] = [];

  get length(): number {
    return this.#entries.length;
  }

  get first(): T | undefined {
    return this.#entries[0];
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#entries[Symbol.iterator]();
  }

  add(entry: T): void {
    // Entries come nearly in order: looking from the end finds the place at once.
    let place = this.#entries.length;
    while (place > 0 && this.#entries[place - 1]!.order > entry.order) place--;
    this.#entries.splice(place, 0, entry);
  }

  remove(id: number): T | undefined {
    const place = this.#entries.findIndex((entry) => entry.id === id);
    return place < 0 ? undefined : this.#entries.splice(place, 1)[0];
  }

  /** Takes out and returns the entries for which `now` is too late. */
  removeExpired(now: number): T[] {
    if (!this.#entries.some((entry) => entry.deadlineAt <= now)) return [];
    const expired = this.#entries.filter((entry) => entry.deadlineAt <= now);
    for (const { id } of expired) this.remove(id);
    return expired;
  }
}
