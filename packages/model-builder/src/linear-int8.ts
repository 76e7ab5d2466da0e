/** How does a product multiply 8-bit activations by 8-bit weights without a row knowing of its neighbours? (w8a8) */
import { ELEMENT_TYPES, type GraphBuilder, MICROSOFT, type Value } from './graph-builder.ts';
import type { ChannelMagnitudes, Products } from './products.ts';
import { quantizeRows } from './quantize.ts';
import { smoothed } from './smoothing.ts';
import { storeQuantized } from './stored-quantized.ts';
import type { Weight } from './weight.ts';

/** Which values a row can hold, relative to its magnitude: from -zero / (255 - zero) to 1 in uint8 steps. */
interface Range {
  readonly zero: number;
  /** The magnitude is that of the absolute values, otherwise the largest value. */
  readonly signed: boolean;
  /** Keeps rows of zeros from being divided by zero. */
  readonly leastMagnitude: number;
}
const GELU_MINIMUM = 0.17;
const GELU_ZERO = 32;
const RANGES: Readonly<Record<'any' | 'relu' | 'gelu', Range>> = {
  any: { zero: 128, signed: true, leastMagnitude: 1e-30 },
  relu: { zero: 0, signed: false, leastMagnitude: 1e-30 },
  // A row's magnitude is at least so large that GELU's minimum lies within the levels below zero.
  gelu: { zero: GELU_ZERO, signed: false, leastMagnitude: (GELU_MINIMUM * (255 - GELU_ZERO)) / GELU_ZERO },
};

/** A row-quantized matrix: integers `[M, K]`, magnitudes `[M, 1]`, and the fixed scale and zero point of all its rows. */
interface QuantizedRows {
  readonly row: Value;
  readonly magnitude: Value;
  readonly scale: Value;
  readonly zero: Value;
}

/**
 * Both sides in 8 bits. Each row of `x` is divided by its own largest magnitude and quantized with a fixed scale, so that it knows
 * nothing of its neighbours; the product is multiplied by that magnitude.
 *
 * Of the ways to write this, all took the same time within 3% (K=768 N=3072, M 1 to 128): MatMulIntegerToFloat with a stored
 * transpose or one folded at load, QuantizeLinear with a scale per row, and QGemm, which takes the checkpoint's layout as it is
 * and so shares one int8 table between embeddings and head.
 */
export function int8PerRow(graph: GraphBuilder, magnitudes: ChannelMagnitudes): Products {
  const store = (weight: Weight) => {
    const [rows = 0, columns = 0] = weight.shape;
    const [values, scales] = storeQuantized(graph, weight, 'int8', weight.shape, [rows], () =>
      quantizeRows(weight.read(), rows, columns),
    );
    return { values, scales, rows };
  };
  const quantized = new Map<Value, QuantizedRows>();
  const quantize = (x: Value, range: Range) => {
    const known = quantized.get(x);
    if (known !== undefined) return known;
    const largest = graph.node('ReduceMax', [range.signed ? graph.node('Abs', [x]) : x, graph.ints(-1)]);
    const magnitude = graph.node('Max', [largest, graph.float(range.leastMagnitude)]);
    const scale = graph.float(1 / (255 - range.zero));
    const zero = graph.scalar('uint8', range.zero);
    const row = graph.node('QuantizeLinear', [graph.node('Div', [x, magnitude]), scale, zero]);
    const result = { row, magnitude, scale, zero };
    quantized.set(x, result);
    return result;
  };
  return {
    embed: (table, ids) => {
      const { values, scales } = store(table);
      const rows = graph.node('Cast', [graph.node('Gather', [values, ids])], {
        attributes: { to: ELEMENT_TYPES.float32 },
      });
      return graph.node('Mul', [rows, graph.node('Unsqueeze', [graph.node('Gather', [scales, ids]), graph.ints(-1)])]);
    },
    project: (given, { weight: original, bias }, { after, smooth, as } = {}) => {
      const seen = smooth ? magnitudes.get(original.name) : undefined;
      const { x, weight } =
        seen === undefined ? { x: given, weight: original } : smoothed(graph, given, original, seen);
      const { values, scales, rows } = store(weight);
      const { row, magnitude, scale, zero } = quantize(x, RANGES[after ?? 'any']);
      // One for each product: where int8 saturates, ONNX Runtime rewrites it together with its weight and refuses to do so twice.
      const weightZero = graph.initializer({
        name: `${weight.name}/zero`,
        type: 'int8',
        shape: [rows],
        read: () => new Int8Array(rows),
      });
      const product = graph.node('QGemm', [row, scale, zero, values, scales, weightZero], {
        domain: MICROSOFT,
        attributes: { transB: 1 },
      });
      const scaled = graph.node('Mul', [product, magnitude], bias ? {} : { as });
      return bias ? graph.node('Add', [scaled, graph.weight(bias)], { as }) : scaled;
    },
  };
}
