/** How do tests run the graphs of a model folder directly: rows of token ids in, embeddings or logits out? */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DecoderManifest, EncoderManifest } from '@ragscale/inference/manifest';
import { OrtCApi } from '@ragscale/inference/ort-c-api';
import { allocate, type Session, type Tensor, view } from '@ragscale/inference/runtime';

const THREADS = 2;

function readManifestUnchecked<T>(folder: string): T {
  return JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as T;
}

async function run(session: Session, inputs: Record<string, Tensor>, outputs: Record<string, Tensor>): Promise<void> {
  const prepared = session.prepare(inputs, outputs);
  try {
    await prepared.execute();
  } finally {
    prepared.release();
  }
}

export function int32(dims: readonly number[], values: readonly number[]): Tensor<'int32'> {
  const tensor = allocate('int32', dims);
  tensor.data.set(values);
  return tensor;
}

export class EncoderRunner {
  readonly manifest: EncoderManifest;
  private readonly session: Session;

  private constructor(manifest: EncoderManifest, session: Session) {
    this.manifest = manifest;
    this.session = session;
  }

  static async open(folder: string): Promise<EncoderRunner> {
    const manifest = readManifestUnchecked<EncoderManifest>(folder);
    const session = await new OrtCApi().load(path.join(folder, manifest.graph), { threads: THREADS, spinning: false });
    return new EncoderRunner(manifest, session);
  }

  /** One vector per row of ids; rows are padded to the longest, or to `padTo`. */
  async embed(rows: readonly (readonly number[])[], padTo?: number): Promise<Float32Array[]> {
    const width = padTo ?? Math.max(...rows.map((row) => row.length));
    const { hidden } = this.manifest.dimensions;
    const ids = rows.flatMap((row) => [...row, ...Array<number>(width - row.length).fill(this.manifest.tokens.pad)]);
    const lengths = rows.map((row) => row.length);
    const embeddings = allocate('float32', [rows.length, hidden]);
    await run(
      this.session,
      { input_ids: int32([rows.length, width], ids), lengths: int32([rows.length], lengths) },
      { embeddings },
    );
    return rows.map((_, row) => embeddings.data.slice(row * hidden, (row + 1) * hidden));
  }

  close(): void {
    this.session.release();
  }
}

export interface DecoderResult {
  /** One row of logits per row asked for. */
  readonly logits: Float32Array[];
  /** The largest first. */
  readonly topIds: number[][];
  readonly topValues: number[][];
}

export class DecoderRunner {
  readonly manifest: DecoderManifest;
  readonly context: number;
  private readonly session: Session;
  private readonly caches: Map<string, Tensor<'float32'>>;

  private constructor(manifest: DecoderManifest, session: Session, slots: number, context: number) {
    this.manifest = manifest;
    this.session = session;
    this.context = context;
    const { layers, kvHeads, headDim } = manifest.dimensions;
    const names = Array.from({ length: layers }, (_, layer) => [`${layer}.key`, `${layer}.value`]).flat();
    this.caches = new Map(names.map((name) => [name, allocate('float32', [slots, kvHeads, context, headDim])]));
  }

  /** @param given tokens per slot, by default all that the model knows */
  static async open(folder: string, slots: number, given?: number): Promise<DecoderRunner> {
    const manifest = readManifestUnchecked<DecoderManifest>(folder);
    const context = given ?? manifest.dimensions.maxTokens;
    const session = await new OrtCApi().load(path.join(folder, manifest.graph), { threads: THREADS, spinning: false });
    return new DecoderRunner(manifest, session, slots, context);
  }

  /** First prefill of rows in neighbouring slots from `slot` on; logits of every token, or of `logitRows` of the flattened batch. */
  prefill(
    rows: readonly (readonly number[])[],
    options: { slot?: number; topK?: number; logitRows?: number[]; padTo?: number } = {},
  ): Promise<DecoderResult> {
    const width = options.padTo ?? Math.max(...rows.map((row) => row.length));
    const ids = rows.flatMap((row) => [...row, ...Array<number>(width - row.length).fill(this.manifest.tokens.pad)]);
    const positions = rows.flatMap(() => Array.from({ length: width }, (_, position) => position));
    const all = rows.flatMap((row, r) => row.map((_, position) => r * width + position));
    return this.step(
      ids,
      positions,
      rows.map((row) => row.length - 1),
      width,
      rows.length,
      width,
      {
        ...options,
        logitRows: options.logitRows ?? all,
      },
    );
  }

  /** Appends a chunk to the `past` tokens that a slot holds already. */
  chunk(ids: readonly number[], past: number, options: { slot?: number; topK?: number } = {}): Promise<DecoderResult> {
    const positions = ids.map((_, i) => past + i);
    const logitRows = ids.map((_, i) => i);
    return this.step(ids, positions, [past + ids.length - 1], past + ids.length, 1, ids.length, {
      ...options,
      logitRows,
    });
  }

  /** One token for each of neighbouring slots; `pasts[b]` tokens are in the cache of row `b`. */
  decode(
    ids: readonly number[],
    pasts: readonly number[],
    options: { slot?: number; topK?: number } = {},
  ): Promise<DecoderResult> {
    return this.step(ids, pasts, pasts, this.context, ids.length, 1, { ...options, logitRows: ids.map((_, b) => b) });
  }

  private async step(
    ids: readonly number[],
    positions: readonly number[],
    seqlensK: readonly number[],
    total: number,
    batch: number,
    width: number,
    { slot = 0, topK = 1, logitRows }: { slot?: number; topK?: number; logitRows: readonly number[] },
  ): Promise<DecoderResult> {
    const { kvHeads, headDim, vocabulary } = this.manifest.dimensions;
    const top = allocate('int64', [1]);
    top.data[0] = BigInt(topK);
    const inputs: Record<string, Tensor> = {
      input_ids: int32([batch, width], ids),
      ...(this.session.inputs.some(({ name }) => name === 'positions')
        ? { positions: int32([batch, width], positions) }
        : {}),
      seqlens_k: int32([batch], seqlensK),
      total_sequence_length: int32([], [total]),
      logit_rows: int32([logitRows.length], logitRows),
      top_k: top,
    };
    const logits = allocate('float32', [logitRows.length, vocabulary]);
    const topValues = allocate('float32', [logitRows.length, topK]);
    const topIds = allocate('int64', [logitRows.length, topK]);
    const outputs: Record<string, Tensor> = { logits, top_values: topValues, top_ids: topIds };
    for (const [name, cache] of this.caches) {
      const slots = view(cache, [batch, kvHeads, this.context, headDim], slot * kvHeads * this.context * headDim);
      inputs[`past.${name}`] = slots;
      outputs[`present.${name}`] = slots;
    }
    await run(this.session, inputs, outputs);
    return {
      logits: logitRows.map((_, r) => logits.data.slice(r * vocabulary, (r + 1) * vocabulary)),
      topIds: logitRows.map((_, r) => Array.from(topIds.data.subarray(r * topK, (r + 1) * topK), Number)),
      topValues: logitRows.map((_, r) => Array.from(topValues.data.subarray(r * topK, (r + 1) * topK))),
    };
  }

  /** The tokens that greedy decoding appends to one prompt. */
  async greedy(prompt: readonly number[], count: number, slot = 0): Promise<number[]> {
    const tokens: number[] = [];
    let result = await this.prefill([prompt], { slot, logitRows: [prompt.length - 1] });
    while (tokens.length < count) {
      tokens.push(result.topIds[0]![0]!);
      result = await this.decode([tokens.at(-1)!], [prompt.length + tokens.length - 1], { slot });
    }
    return tokens;
  }

  close(): void {
    this.session.release();
  }
}
