/**
 * How does a tokenizer of SentencePiece see a text: which characters become which before it is cut? The checkpoint says so in a table
 * (`precompiled_charsmap`), a trie over UTF-8 bytes, here read and followed as the reference does it (crate spm_precompiled).
 * `@huggingface/tokenizers` has NFKC and a list of exceptions in its place, which is not the same.
 */

/** Longer clusters of characters are looked up character by character. */
const LONGEST_CLUSTER_BYTES = 5;
/** Characters that no table touches, but for one before and one after others: marks join the one, few signs the other. */
const TOUCHED = /[\x20-\x7e]?(?:[^\x20-\x7e]+[\x20-\x7e]?)+/g;
const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' });

export class Charsmap {
  /** Units of a double array (darts-clone). */
  readonly #units: Uint32Array;
  /** What texts become, each with a zero byte behind it. */
  readonly #replacements: Buffer;
  readonly #seen = new Map<string, string>();
  readonly #keepsAscii: boolean;

  /** @param base64 as in tokenizer.json @throws RangeError when it is cut short */
  constructor(base64: string) {
    const bytes = Buffer.from(base64, 'base64');
    const trieBytes = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
    if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) {
      throw new RangeError(`precompiled_charsmap is cut short: ${bytes.length} bytes`);
    }
    this.#units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.#replacements = bytes.subarray(4 + trieBytes);
    const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
    this.#keepsAscii = ascii.every((character) => this.#lookUp(character) === undefined);
  }

  normalize(text: string): string {
    if (!this.#keepsAscii) return this.#normalizeClusters(text);
    return text.replace(TOUCHED, (stretch) => this.#normalizeClusters(stretch));
  }

  #normalizeClusters(text: string): string {
    let normalized = '';
    for (const { segment } of clusters.segment(text)) normalized += this.#normalizeCluster(segment);
    return normalized;
  }

  #normalizeCluster(cluster: string): string {
    const seen = this.#seen.get(cluster);
    if (seen !== undefined) return seen;
    const whole = Buffer.byteLength(cluster) <= LONGEST_CLUSTER_BYTES ? this.#lookUp(cluster) : undefined;
    const result = whole ?? Array.from(cluster, (character) => this.#lookUp(character) ?? character).join('');
    // Scripts have thousands of clusters, and texts that are made to have more must not fill the memory.
    if (this.#seen.size >= 50_000) this.#seen.clear();
    this.#seen.set(cluster, result);
    return result;
  }

  /** What the shortest beginning of `text` that is in the table becomes; the rest of `text` is dropped, as the reference does. */
  #lookUp(text: string): string | undefined {
    const units = this.#units;
    let place = offsetOf(units[0]!);
    for (const byte of Buffer.from(text)) {
      if (byte === 0) return undefined;
      place ^= byte;
      const unit = units[place];
      if (unit === undefined || (unit & 0x8000_00ff) !== byte) return undefined;
      place ^= offsetOf(unit);
      if ((unit >>> 8) & 1) return this.#replacementAt((units[place] ?? 0) & 0x7fff_ffff);
    }
    return undefined;
  }

  #replacementAt(start: number): string {
    const end = this.#replacements.indexOf(0, start);
    return this.#replacements.toString('utf8', start, end < 0 ? this.#replacements.length : end);
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
