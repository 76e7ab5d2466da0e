/** What does an architecture ask of embedding tables and matrix products, whatever the precision? */
import type { Value } from './graph-builder.ts';
import type { Weight } from './weight.ts';

export interface Linear {
  /** `[N, K]`, a row per output, as PyTorch keeps it. */
  readonly weight: Weight;
  /** `[N]`. */
  readonly bias?: Weight;
}

export interface ProjectOptions {
  /** What made `x`: a quantized product spends no levels where no value can be. */
  readonly after?: 'relu' | 'gelu';
  /** `x` has channels far larger than others: where activations are quantized, their size is moved into the weights. */
  readonly smooth?: boolean;
  /** Name of the result, for outputs of the graph. */
  readonly as?: string;
}

export interface Products {
  /** Rows `ids` `[T]` of `table` `[V, H]`: float32 `[T, H]`. The stored table is shared with a product of the same weight. */
  embed(table: Weight, ids: Value): Value;
  /** `x · weightᵀ + bias`: `[M, K]` to `[M, N]`. A row of the result depends on that row of `x` alone, to the bit. */
  project(x: Value, layer: Linear, options?: ProjectOptions): Value;
}

/** Largest magnitude seen of each channel `[K]` that enters a product, by the name of the product's weight. */
export type ChannelMagnitudes = ReadonlyMap<string, Float32Array>;
