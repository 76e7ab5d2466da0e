/** What does one pod do with its requests? It works on as many as it has slots, each the slower the more there are; the others wait in it. */
import { RequestLine } from './request-line.ts';

export type PodState = 'starting' | 'ready' | 'draining' | 'gone';

/**
 * Work is measured in milliseconds of a request that runs alone. All that run progress alike, so each is done when what the pod has given to
 * everybody who was there all the time has grown by the request's own work: one sum for all instead of one for each.
 */
export class Pod {
  readonly id: number;
  readonly createdAt: number;
  state: PodState = 'starting';
  /** Requests that each proxy has with it. */
  readonly inFlight: Int32Array;
  /** Of the event that tells the next completion: what happened since makes it wrong. */
  version = 0;
  /** Times that it was restarted: an event of an earlier life is void. */
  life = 0;
  readonly #rates: Float64Array;
  readonly #slots: number;
  /** Times as long as a pod at full speed takes. */
  readonly #slowdown: number;
  readonly #running: Int32Array;
  /** What has to be given in all until each of `#running` is done. */
  readonly #doneAt: Float64Array;
  readonly #line = new RequestLine();
  #count = 0;
  #given = 0;
  #updatedAt = 0;

  constructor(parts: {
    id: number;
    createdAt: number;
    rates: Float64Array;
    slowdown: number;
    proxies: number;
  }) {
    this.id = parts.id;
    this.createdAt = parts.createdAt;
    this.#rates = parts.rates;
    this.#slots = parts.rates.length - 1;
    this.#slowdown = parts.slowdown;
    this.#running = new Int32Array(this.#slots);
    this.#doneAt = new Float64Array(this.#slots);
    this.inFlight = new Int32Array(parts.proxies);
  }

  get running(): number {
    return this.#count;
  }

  get waiting(): number {
    return this.#line.length;
  }

  get isIdle(): boolean {
    return this.#count === 0 && this.#line.length === 0;
  }

  /** @returns whether it runs at once */
  accept(request: number, workMs: number, now: number): boolean {
    if (this.#count === this.#slots) {
      this.#line.append(request);
      return false;
    }
    this.#start(request, workMs, now);
    return true;
  }

  /** When the next of those that run is done, if nothing else happens; Infinity where none runs. */
  nextDoneAt(): number {
    if (this.#count === 0) return Number.POSITIVE_INFINITY;
    const left = this.#doneAt[this.#nearest()]! - this.#given;
    return this.#updatedAt + Math.max(0, left / this.#rate());
  }

  /** The one that is done now. */
  finish(now: number): number {
    const index = this.#nearest();
    this.#advance(now);
    // Rounding: it is done because it is now.
    this.#given = Math.max(this.#given, this.#doneAt[index]!);
    const request = this.#running[index]!;
    this.#count -= 1;
    this.#running[index] = this.#running[this.#count]!;
    this.#doneAt[index] = this.#doneAt[this.#count]!;
    return request;
  }

  /** The next of those that wait in it gets the slot that has come free; -1 where none waits. */
  startNext(workOf: Float64Array, now: number): number {
    if (this.#count === this.#slots) return -1;
    const request = this.#line.take();
    if (request >= 0) this.#start(request, workOf[request]!, now);
    return request;
  }

  /** It dies: all that it had, in the order in which they came. */
  lose(now: number): number[] {
    this.#advance(now);
    const lost = [...this.#running.subarray(0, this.#count)].sort((a, b) => a - b);
    for (let request = this.#line.take(); request >= 0; request = this.#line.take()) lost.push(request);
    this.#count = 0;
    this.#given = 0;
    this.inFlight.fill(0);
    this.version += 1;
    return lost;
  }

  #start(request: number, workMs: number, now: number): void {
    this.#advance(now);
    this.#running[this.#count] = request;
    this.#doneAt[this.#count] = this.#given + workMs;
    this.#count += 1;
  }

  #advance(now: number): void {
    if (this.#count > 0) this.#given += (now - this.#updatedAt) * this.#rate();
    else this.#given = 0;
    this.#updatedAt = now;
  }

  #rate(): number {
    return this.#rates[this.#count]! / this.#slowdown;
  }

  #nearest(): number {
    let nearest = 0;
    for (let i = 1; i < this.#count; i++) if (this.#doneAt[i]! < this.#doneAt[nearest]!) nearest = i;
    return nearest;
  }
}
