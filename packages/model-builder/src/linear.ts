/** How are embedding tables and matrix products stored and computed in each precision? Chosen here, and nowhere else. */
import type { Precision } from '@ragscale/inference/manifest';
import { BuildError } from './errors.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { blocks } from './linear-blocks.ts';
import { int8PerRow } from './linear-int8.ts';
import type { ChannelMagnitudes, Products } from './products.ts';

/**
 * @param magnitudes those that `smooth` products were measured to have; without them nothing is smoothed
 * @throws BuildError when graphs are not built in this precision
 */
export function productsOf(
  precision: Precision,
  graph: GraphBuilder,
  magnitudes: ChannelMagnitudes = new Map(),
): Products {
  switch (precision) {
    case 'fp32':
      return float32(graph);
    case 'w8a8':
      return int8PerRow(graph, magnitudes);
    case 'w8':
      return blocks(graph, 8);
    case 'w4':
      return blocks(graph, 4);
    case 'fp16':
      throw new BuildError('precision fp16 is not supported yet; fp32, w8a8, w8 and w4 are');
  }
}

function float32(graph: GraphBuilder): Products {
  return {
    embed: (table, ids) => graph.node('Gather', [graph.weight(table), ids]),
    // transB: the checkpoint's own layout, so that a tied head shares the embedding table.
    project: (x, { weight, bias }, { as } = {}) =>
      graph.node('Gemm', [x, graph.weight(weight), ...(bias ? [graph.weight(bias)] : [])], {
        attributes: { transB: 1 },
        as,
      }),
  };
}
