/** Who is first in line? A ring of request numbers that can also take one back at its head. */

export class RequestLine {
  #ring = new Int32Array(64);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The first in line; -1 where nobody waits. */
  get first(): number {
    return this.#length === 0 ? -1 : this.#ring[this.#first]!;
  }

  append(request: number): void {
    this.#fit();
    this.#ring[(this.#first + this.#length) & (this.#ring.length - 1)] = request;
    this.#length += 1;
  }

  /** It has had its turn before, and comes first. */
  prepend(request: number): void {
    this.#fit();
    this.#first = (this.#first - 1) & (this.#ring.length - 1);
    this.#ring[this.#first] = request;
    this.#length += 1;
  }

  /** Takes the first out; -1 where nobody waits. */
  take(): number {
    const request = this.first;
    if (request >= 0) {
      this.#first = (this.#first + 1) & (this.#ring.length - 1);
      this.#length -= 1;
    }
    return request;
  }

  #fit(): void {
    if (this.#length < this.#ring.length) return;
    const grown = new Int32Array(2 * this.#ring.length);
    for (let i = 0; i < this.#length; i++) grown[i] = this.#ring[(this.#first + i) & (this.#ring.length - 1)]!;
    this.#ring = grown;
    this.#first = 0;
  }
}
