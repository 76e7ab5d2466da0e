/** Who has which slot of the KV cache, and what the cache of each slot holds. Decoding needs its rows side by side from slot 0. */
import type { GenerateTask } from './tasks.ts';

/** An answer that has a slot. */
export interface Sequence {
  readonly task: GenerateTask;
  /** When the slot was taken, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Tokens of the prompt whose cache was copied. */
  readonly cachedTokens: number;
  slot: number;
  /** Tokens of the prompt that the cache holds. */
  computed: number;
  firstTokenAt: number;
}

/** Where a beginning of a prompt lies in the cache already. */
export interface SharedPrefix {
  readonly slot: number;
  readonly tokens: number;
}

export class SlotTable {
  readonly slots: number;
  /** Rows that decode, each in the slot of its index. */
  readonly #decoding: Sequence[] = [];
  /** A prompt that is computed in several chunks, in the slot behind all that decoded when it began. */
  #prefilling: Sequence | undefined;
  /** Tokens whose keys and values each slot's cache holds, from position 0. */
  readonly #contents: number[][];

  constructor(slots: number) {
    this.slots = slots;
    this.#contents = Array.from({ length: slots }, () => []);
  }

  get decoding(): readonly Sequence[] {
    return this.#decoding;
  }

  get prefilling(): Sequence | undefined {
    return this.#prefilling;
  }

  get taken(): number {
    return this.#decoding.length + (this.#prefilling === undefined ? 0 : 1);
  }

  /** Slots behind the rows that decode, free while nothing is prefilling. */
  get free(): number {
    return this.#prefilling === undefined ? this.slots - this.#decoding.length : 0;
  }

  /** The longest beginning of `ids` that some slot holds, short of the last token: that one is computed for what follows it. */
  longestPrefix(ids: readonly number[]): SharedPrefix {
    let best: SharedPrefix = { slot: 0, tokens: 0 };
    this.#contents.forEach((held, slot) => {
      const limit = Math.min(held.length, ids.length - 1);
      let tokens = 0;
      while (tokens < limit && held[tokens] === ids[tokens]) tokens++;
      if (tokens > best.tokens) best = { slot, tokens };
    });
    return best;
  }

  /** A prompt takes the next free slot to be computed in chunks. */
  beginPrefill(sequence: Sequence): void {
    this.#prefilling = sequence;
  }

  /** Notes that `computed` tokens of a sequence's prompt are in the cache of its slot. */
  filled(sequence: Sequence, computed: number): void {
    sequence.computed = computed;
    this.#contents[sequence.slot] = sequence.task.state.promptIds.slice(0, computed);
  }

  /**
   * A computed prompt joins those that decode.
   * @returns the slot from which its cache must be moved to `sequence.slot`, where it is not there already
   */
  join(sequence: Sequence): number | undefined {
    if (this.#prefilling === sequence) this.#prefilling = undefined;
    const from = sequence.slot;
    const to = this.#decoding.length;
    this.#decoding.push(sequence);
    if (from === to) return undefined;
    this.#relocate(sequence, to);
    return from;
  }

  /** Notes a decode step: each row's newest token but one went into its cache. */
  decoded(tokens: readonly number[]): void {
    tokens.forEach((token, slot) => {
      this.#contents[slot]!.push(token);
    });
  }

  /**
   * A sequence gives its slot back.
   * @returns the last row, which must be moved into its place from the slot given, where there is one
   */
  leave(sequence: Sequence): { readonly moved: Sequence; readonly from: number } | undefined {
    if (this.#prefilling === sequence) {
      this.#prefilling = undefined;
      return undefined;
    }
    const last = this.#decoding.pop()!;
    if (last === sequence) return undefined;
    const from = last.slot;
    this.#decoding[sequence.slot] = last;
    this.#relocate(last, sequence.slot);
    return { moved: last, from };
  }

  /** Tokens that a slot's cache holds. */
  held(slot: number): number {
    return this.#contents[slot]!.length;
  }

  /** What a slot holds is not known any more: a run failed in the middle. */
  forget(slot: number): void {
    this.#contents[slot] = [];
  }

  #relocate(sequence: Sequence, to: number): void {
    this.#contents[to] = [...this.#contents[sequence.slot]!];
    sequence.slot = to;
  }
}
