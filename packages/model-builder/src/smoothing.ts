/** How is the size of outlier channels moved from activations, where it costs precision, into weights? */
import type { GraphBuilder, Value } from './graph-builder.ts';
import type { Weight } from './weight.ts';

const SMOOTHING = 0.65;
/** Keeps channels and columns of zeros from infinite factors. */
const TINY = 1e-6;

/**
 * Moves part of the size of large channels from `x` into the weight (SmoothQuant, arXiv 2211.10438, with a factor per channel of
 * seen^0.65 / weight^0.35). Factors are powers of two: nothing is rounded, and the last bits of what was seen do not matter.
 */
export function smoothed(
  graph: GraphBuilder,
  x: Value,
  weight: Weight,
  seen: Float32Array,
): { x: Value; weight: Weight } {
  const [rows = 0, columns = 0] = weight.shape;
  const factorsFor = (values: Float32Array) => {
    const largest = new Float32Array(columns);
    for (let i = 0; i < values.length; i++) {
      const column = i % columns;
      largest[column] = Math.max(largest[column]!, Math.abs(values[i]!));
    }
    return largest.map((ofWeight, column) => {
      const factor = Math.max(seen[column]!, TINY) ** SMOOTHING / Math.max(ofWeight, TINY) ** (1 - SMOOTHING);
      return 2 ** Math.round(Math.log2(factor));
    });
  };
  const readSmoothed = () => {
    const values = weight.read().slice();
    const factors = factorsFor(values);
    for (let i = 0; i < values.length; i++) values[i] = values[i]! * factors[i % columns]!;
    return values;
  };
  const divisors = graph.initializer({
    name: `${weight.name}/smoothing`,
    type: 'float32',
    shape: [columns],
    read: () => factorsFor(weight.read()).map((factor) => 1 / factor),
  });
  return {
    x: graph.node('Mul', [x, divisors]),
    weight: { name: weight.name, shape: [rows, columns], read: readSmoothed },
  };
}
