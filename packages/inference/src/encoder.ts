/** An embedder's graph and tokenizer: texts in, unit vectors out, in batches that do not change a single bit of them. */
import path from 'node:path';
import { ContextLengthError } from './errors.ts';
import type { EncoderManifest } from './manifest.ts';
import { allocate, type Runtime, type Session, type SessionOptions } from './runtime.ts';
import { Tokenizer } from './tokenizer.ts';

/** Rows are padded to a multiple of this, alone or not, so that the same text always meets the same arithmetic. */
const PADDING = 8;

export interface EncodedText {
  /** Place in the caller's list. */
  readonly index: number;
  readonly ids: readonly number[];
}

export class Encoder {
  readonly manifest: EncoderManifest;
  readonly #session: Session;
  readonly #tokenizer: Tokenizer;

  private constructor(session: Session, tokenizer: Tokenizer, manifest: EncoderManifest) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.manifest = manifest;
  }

  static async load(
    runtime: Runtime,
    folder: string,
    manifest: EncoderManifest,
    options: SessionOptions,
  ): Promise<Encoder> {
    const tokenizer = await Tokenizer.load(folder);
    return new Encoder(await runtime.load(path.join(folder, manifest.graph), options), tokenizer, manifest);
  }

  /** Token ids of a text in its dress as query or passage. @throws ContextLengthError */
  tokenize(text: string, as: 'query' | 'passage'): number[] {
    // A function, because `$&` in a replacement string has a meaning of its own.
    const ids = this.#tokenizer.encode(this.manifest.prompt[as].replace('{text}', () => text));
    const limit = this.manifest.dimensions.maxTokens;
    if (ids.length > limit) throw new ContextLengthError(as === 'query' ? 'question' : 'passage', ids.length, limit);
    return ids;
  }

  countTokens(text: string): number {
    return this.#tokenizer.encode(text).length;
  }

  /**
   * Vectors `[batch.length, hidden]` of texts that have one padded length.
   * @returns one unit vector per text, each with memory of its own
   */
  async run(batch: readonly EncodedText[]): Promise<Float32Array[]> {
    const width = paddedLength(batch[0]!.ids.length);
    const inputIds = allocate('int32', [batch.length, width]);
    const lengths = allocate('int32', [batch.length]);
    const embeddings = allocate('float32', [batch.length, this.manifest.dimensions.hidden]);
    inputIds.data.fill(this.manifest.tokens.pad);
    batch.forEach(({ ids }, row) => {
      inputIds.data.set(ids, row * width);
      lengths.data[row] = ids.length;
    });
    const run = this.#session.prepare({ input_ids: inputIds, lengths }, { embeddings });
    try {
      await run.execute();
    } finally {
      run.release();
    }
    const hidden = this.manifest.dimensions.hidden;
    return batch.map((_, row) => embeddings.data.slice(row * hidden, (row + 1) * hidden));
  }

  release(): void {
    this.#session.release();
  }
}

export function paddedLength(length: number): number {
  return Math.ceil(length / PADDING) * PADDING;
}
