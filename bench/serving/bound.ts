/**
 * How many answers a second could any server give on this machine? Only the products of weights count, at the rate of a good
 * library's matrix product, and reading weights and caches once a step, at the measured bandwidth:
 *
 *     seconds per answer = embed + prefill + decode
 *     embed   = 2 x embedder weights x query tokens / arithmetic rate
 *     prefill = 2 x (layer weights x prompt tokens + head weights) / arithmetic rate
 *     decode  = (new tokens - 1) / slots x max(read, 2 x (layer + head weights) x slots / arithmetic rate)
 *     read    = ((layer + head weights) x bytes of a weight + slots x mean cache bytes) / bandwidth
 */

export interface Shape {
  /** Weights in products, of all layers together. */
  readonly layerWeights: number;
  readonly headWeights: number;
  readonly embedderWeights: number;
  /** Bytes of keys and values of one token, in all layers, float32. */
  readonly cacheBytesPerToken: number;
}

export interface Machine {
  /** Bytes a second. */
  readonly bandwidth: number;
  /** Operations a second, a multiplication and an addition being two. */
  readonly arithmetic: number;
}

export interface AnswerSize {
  readonly queryTokens: number;
  readonly promptTokens: number;
  readonly newTokens: number;
}

export interface Bound {
  readonly embedSeconds: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  readonly requestsPerSecond: number;
}

export function boundOf(
  shape: Shape,
  machine: Machine,
  size: AnswerSize,
  { slots, bytesPerWeight }: { slots: number; bytesPerWeight: number },
): Bound {
  const decoded = shape.layerWeights + shape.headWeights;
  const cached = size.promptTokens + size.newTokens / 2;
  const read = (decoded * bytesPerWeight + slots * cached * shape.cacheBytesPerToken) / machine.bandwidth;
  const step = Math.max(read, (2 * decoded * slots) / machine.arithmetic);
  const embedSeconds = (2 * shape.embedderWeights * size.queryTokens) / machine.arithmetic;
  const prefillSeconds = (2 * (shape.layerWeights * size.promptTokens + shape.headWeights)) / machine.arithmetic;
  const decodeSeconds = ((size.newTokens - 1) / slots) * step;
  return {
    embedSeconds,
    prefillSeconds,
    decodeSeconds,
    requestsPerSecond: 1 / (embedSeconds + prefillSeconds + decodeSeconds),
  };
}

/** @param generator config.json of an OPT checkpoint; @param embedder of a BERT one */
export function shapeOf(generator: Record<string, unknown>, embedder: Record<string, unknown>): Shape {
  const { hidden_size: hidden, num_hidden_layers: layers, ffn_dim, vocab_size } = numbers(generator);
  const { hidden_size: width, num_hidden_layers: depth, intermediate_size } = numbers(embedder);
  return {
    layerWeights: layers! * (4 * hidden! ** 2 + 2 * hidden! * ffn_dim!),
    headWeights: hidden! * vocab_size!,
    embedderWeights: depth! * (4 * width! ** 2 + 2 * width! * intermediate_size!),
    cacheBytesPerToken: 2 * layers! * hidden! * Float32Array.BYTES_PER_ELEMENT,
  };
}

function numbers(config: Record<string, unknown>): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, Number(value)]));
}
