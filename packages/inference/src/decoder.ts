/** A generator's graph and its KV cache: prefill a slot, decode one token for many slots, move a slot. Knows no requests. */
import path from 'node:path';
import { RuntimeError } from './errors.ts';
import type { DecoderManifest } from './manifest.ts';
import {
  allocate,
  type PreparedRun,
  type Runtime,
  type Session,
  type SessionOptions,
  type Tensor,
  view,
} from './runtime.ts';
import type { Candidates } from './sampling.ts';

export interface DecoderOptions extends SessionOptions {
  /** Rows of the cache. */
  readonly slots: number;
  /** Tokens per slot. */
  readonly context: number;
}

/** What the caller wants to know about the next token of each row of a run. */
export interface Wanted {
  /** How many candidates; 1 is the arg-max. */
  readonly candidates: number;
  /** The whole row of logits as well. */
  readonly logits: boolean;
}

/** One row of a decode step: its slot is its place in the batch. */
export interface DecodeRow {
  /** The last token, not yet in the cache. */
  readonly token: number;
  /** Tokens in the slot's cache. */
  readonly length: number;
}

/** Prepared decode steps that are kept; each batch size and kind of wish needs one, and few kinds occur at a time. */
const KEPT_STEPS = 64;

export class Decoder {
  readonly slots: number;
  readonly context: number;
  readonly vocabulary: number;
  readonly #session: Session;
  readonly #hasPositions: boolean;
  /** `[slots, kvHeads, context, headDim]` each, with the name that the graph adds to `past.` and `present.`. */
  readonly #cache: readonly { readonly name: string; readonly tensor: Tensor<'float32'> }[];
  readonly #kvHeads: number;
  readonly #headDim: number;
  readonly #steps = new Map<string, PreparedStep>();

  private constructor(session: Session, manifest: DecoderManifest, options: DecoderOptions) {
    const { layers, kvHeads, headDim, vocabulary } = manifest.dimensions;
    this.#session = session;
    this.slots = options.slots;
    this.context = options.context;
    this.vocabulary = vocabulary;
    this.#kvHeads = kvHeads;
    this.#headDim = headDim;
    this.#hasPositions = session.inputs.some((input) => input.name === 'positions');
    const names = Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
    this.#cache = names.map((name) => ({
      name,
      tensor: allocate('float32', [options.slots, kvHeads, options.context, headDim]),
    }));
  }

  /** @throws RuntimeError when the graph cannot be loaded or is not the one that the manifest describes */
  static async load(
    runtime: Runtime,
    folder: string,
    manifest: DecoderManifest,
    options: DecoderOptions,
  ): Promise<Decoder> {
    if (options.context > manifest.dimensions.maxTokens) {
      throw new RuntimeError(
        `${manifest.name} knows ${manifest.dimensions.maxTokens} positions: a context of ${options.context} is too long`,
      );
    }
    const session = await runtime.load(path.join(folder, manifest.graph), options);
    return new Decoder(session, manifest, options);
  }

  /**
   * Computes `tokens` into `slot` behind the `past` tokens that it holds, and says what may come next.
   * A view of what was found, good until the next run.
   */
  async prefill(slot: number, tokens: readonly number[], past: number, wanted: Wanted): Promise<Candidates> {
    const length = tokens.length;
    if (length === 0 || past + length > this.context) {
      throw new RuntimeError(`${length} tokens after ${past} do not fit in a slot of ${this.context}`);
    }
    const step = this.#prepare({ slot, rows: 1, length, total: past + length }, wanted);
    try {
      step.inputIds.set(tokens);
      for (let i = 0; i < length; i++) step.positions[i] = past + i;
      step.lastIndex[0] = past + length - 1;
      step.logitRows[0] = length - 1;
      await step.run.execute();
      return step.candidates(0);
    } finally {
      step.run.release();
    }
  }

  /**
   * Computes several prompts in one run, from nothing, into the slots from `firstSlot` on; shorter ones are padded on the right.
   * Views of what was found, good until the next run.
   */
  async prefillTogether(
    firstSlot: number,
    prompts: readonly (readonly number[])[],
    wanted: Wanted,
  ): Promise<Candidates[]> {
    const length = Math.max(...prompts.map((prompt) => prompt.length));
    if (prompts.some((prompt) => prompt.length === 0) || length > this.context) {
      throw new RuntimeError(
        `prompts of ${prompts.map((prompt) => prompt.length)} tokens: a slot takes 1 to ${this.context}`,
      );
    }
    const step = this.#prepare({ slot: firstSlot, rows: prompts.length, length, total: length }, wanted);
    try {
      prompts.forEach((prompt, row) => {
        step.inputIds.set(prompt, row * length);
        for (let i = 0; i < length; i++) step.positions[row * length + i] = i;
        step.lastIndex[row] = prompt.length - 1;
        step.logitRows[row] = row * length + prompt.length - 1;
      });
      await step.run.execute();
      return prompts.map((_, row) => step.candidates(row));
    } finally {
      step.run.release();
    }
  }

  /**
   * One token for each of the slots 0 to `rows.length` - 1. Appends each row's token to its cache.
   * Views of what was found, good until the next run.
   */
  async decode(rows: readonly DecodeRow[], wanted: Wanted): Promise<Candidates[]> {
    const step = this.#decodeStep(rows.length, wanted);
    rows.forEach(({ token, length }, row) => {
      if (length < 1 || length >= this.context)
        throw new RuntimeError(`slot ${row} holds ${length} of ${this.context} tokens`);
      step.inputIds[row] = token;
      step.positions[row] = length;
      step.lastIndex[row] = length;
      step.logitRows[row] = row;
    });
    await step.run.execute();
    return rows.map((_, row) => step.candidates(row));
  }

  /** Copies the first `length` tokens of one slot's cache over another's: the last row takes a finished one's place. */
  move(from: number, to: number, length: number): void {
    const row = this.#kvHeads * this.context * this.#headDim;
    for (const { tensor } of this.#cache) {
      for (let head = 0; head < this.#kvHeads; head++) {
        const offset = head * this.context * this.#headDim;
        const start = from * row + offset;
        tensor.data.copyWithin(to * row + offset, start, start + length * this.#headDim);
      }
    }
  }

  release(): void {
    for (const step of this.#steps.values()) step.run.release();
    this.#steps.clear();
    this.#session.release();
  }

  #decodeStep(rows: number, wanted: Wanted): PreparedStep {
    if (rows < 1 || rows > this.slots) throw new RuntimeError(`${rows} rows: there are ${this.slots} slots`);
    const key = `${rows} ${wanted.candidates} ${wanted.logits}`;
    let step = this.#steps.get(key);
    if (step === undefined) {
      if (this.#steps.size >= KEPT_STEPS) {
        const [oldest, unused] = this.#steps.entries().next().value!;
        this.#steps.delete(oldest);
        unused.run.release();
      }
      step = this.#prepare({ slot: 0, rows, length: 1, total: this.context }, wanted);
      this.#steps.set(key, step);
    }
    return step;
  }

  /** Tensors of a run of `rows` neighbouring slots with `length` tokens each; shapes as in docs/model-folder.md. */
  #prepare(shape: { slot: number; rows: number; length: number; total: number }, wanted: Wanted): PreparedStep {
    const { slot, rows, length, total } = shape;
    const inputIds = allocate('int32', [rows, length]);
    const positions = allocate('int32', [rows, length]);
    const lastIndex = allocate('int32', [rows]);
    const totalLength = allocate('int32', []);
    const logitRows = allocate('int32', [rows]);
    const topK = allocate('int64', [1]);
    const topIds = allocate('int64', [rows, wanted.candidates]);
    const topValues = allocate('float32', [rows, wanted.candidates]);
    const logits = wanted.logits ? allocate('float32', [rows, this.vocabulary]) : undefined;
    totalLength.data[0] = total;
    topK.data[0] = BigInt(wanted.candidates);

    const row = this.#kvHeads * this.context * this.#headDim;
    const dims = [rows, this.#kvHeads, this.context, this.#headDim];
    const cache = this.#cache.map(({ name, tensor }) => ({ name, tensor: view(tensor, dims, slot * row) }));
    const named = (prefix: string) =>
      Object.fromEntries(cache.map(({ name, tensor }) => [`${prefix}.${name}`, tensor]));
    const run = this.#session.prepare(
      {
        input_ids: inputIds,
        ...(this.#hasPositions ? { positions } : {}),
        seqlens_k: lastIndex,
        total_sequence_length: totalLength,
        logit_rows: logitRows,
        top_k: topK,
        ...named('past'),
      },
      { top_values: topValues, top_ids: topIds, ...(logits ? { logits } : {}), ...named('present') },
    );
    return {
      run,
      inputIds: inputIds.data,
      positions: positions.data,
      lastIndex: lastIndex.data,
      logitRows: logitRows.data,
      candidates: (index) => ({
        ids: slice(topIds.data, index, wanted.candidates),
        values: slice(topValues.data, index, wanted.candidates),
        ...(logits ? { logits: slice(logits.data, index, this.vocabulary) } : {}),
      }),
    };
  }
}

interface PreparedStep {
  readonly run: PreparedRun;
  readonly inputIds: Int32Array;
  readonly positions: Int32Array;
  readonly lastIndex: Int32Array;
  readonly logitRows: Int32Array;
  readonly candidates: (row: number) => Candidates;
}

function slice<A extends Float32Array | BigInt64Array>(rows: A, row: number, width: number): A {
  return rows.subarray(row * width, (row + 1) * width) as A;
}
