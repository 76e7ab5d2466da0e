/** How do the integers and scales of one weight get into a graph? */
import type { ElementType, GraphBuilder, Value } from './graph-builder.ts';
import type { Quantized } from './quantize.ts';
import type { Weight } from './weight.ts';

/** Stores integers and scales of a weight under names of their own; the weight is read and quantized once, while they are written. */
export function storeQuantized(
  graph: GraphBuilder,
  weight: Weight,
  type: ElementType,
  valuesShape: readonly number[],
  scalesShape: readonly number[],
  quantize: () => Quantized<ArrayBufferView>,
): [Value, Value] {
  let waiting: Float32Array | undefined;
  const readValues = () => {
    const { values, scales } = quantize();
    waiting = scales;
    return values;
  };
  const readScales = () => {
    const scales = waiting ?? quantize().scales;
    waiting = undefined;
    return scales;
  };
  return [
    graph.initializer({ name: `${weight.name}/${type}`, type, shape: valuesShape, read: readValues }),
    graph.initializer({ name: `${weight.name}/scale`, type: 'float32', shape: scalesShape, read: readScales }),
  ];
}
