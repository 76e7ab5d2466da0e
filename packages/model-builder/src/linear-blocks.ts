/** How does a product use weights of 8 or 4 bits in blocks? (w8, w4) */
import { BuildError } from './errors.ts';
import { type GraphBuilder, MICROSOFT, NONE } from './graph-builder.ts';
import type { Products } from './products.ts';
import { BLOCK, quantizeBlocks } from './quantize.ts';
import { storeQuantized } from './stored-quantized.ts';
import type { Weight } from './weight.ts';

/**
 * Weights alone in blocks; the kernel quantizes each row of `x` by itself (accuracy level 4). Embedding tables, and a head tied to
 * one, have 8 bits in w4 too: on the tiny generator that raises the tokens with fp32's arg-max from 81% to 89% for 14% more bytes.
 */
export function blocks(graph: GraphBuilder, ofProducts: 4 | 8): Products {
  const tables = new Set<string>();
  const store = (weight: Weight) => {
    const bits = tables.has(weight.name) ? 8 : ofProducts;
    const [rows = 0, columns = 0] = weight.shape;
    if (columns % BLOCK !== 0) {
      throw new BuildError(
        `tensor ${weight.name} has rows of ${columns}; precision w${bits} needs a multiple of ${BLOCK}: take w8a8`,
      );
    }
    const perRow = columns / BLOCK;
    const blockBytes = (BLOCK * bits) / 8;
    const [values, scales] = storeQuantized(graph, weight, 'uint8', [rows, perRow, blockBytes], [rows, perRow], () =>
      quantizeBlocks(weight.read(), bits),
    );
    return { values, scales, rows, columns, bits, rowBytes: perRow * blockBytes };
  };
  return {
    embed: (table, ids) => {
      tables.add(table.name);
      const { values, scales, rows, bits, rowBytes } = store(table);
      // The product wants three dimensions and the lookup two; ONNX Runtime folds the Reshape while loading.
      const flat = graph.node('Reshape', [values, graph.ints(rows, rowBytes)]);
      const attributes = { bits, block_size: BLOCK, gather_axis: 0, quantize_axis: 1 };
      return graph.node('GatherBlockQuantized', [flat, ids, scales], { domain: MICROSOFT, attributes });
    },
    project: (x, { weight, bias }, { as } = {}) => {
      const { values, scales, rows, columns, bits } = store(weight);
      const attributes = { K: columns, N: rows, bits, block_size: BLOCK, accuracy_level: 4 };
      const inputs = [x, values, scales, ...(bias ? [NONE, NONE, graph.weight(bias)] : [])];
      return graph.node('MatMulNBits', inputs, { domain: MICROSOFT, attributes, as });
    },
  };
}
