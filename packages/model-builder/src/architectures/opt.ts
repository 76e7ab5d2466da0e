/** OPT decoders (`facebook/opt-*`): learned positions, norms before each block, ReLU, a head tied to the embeddings. */
import { z } from 'zod';
import type { Checkpoint } from '../checkpoint.ts';
import { BuildError } from '../errors.ts';
import type { GraphBuilder, Value } from '../graph-builder.ts';
import {
  addAndNorm,
  type CacheInputs,
  cachedAttention,
  decoderOutputs,
  flatten,
  layerNorm,
  type Norm,
} from '../layers.ts';
import type { Linear, Products } from '../products.ts';
import { concatenate, dropRows } from '../weight.ts';
import type { Architecture } from './architecture.ts';
import { decoderPrompt } from './decoder-text.ts';

const count = z.int().positive();
const tokenId = z.int().nonnegative();
const configSchema = z.object({
  vocab_size: count,
  hidden_size: count,
  ffn_dim: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  max_position_embeddings: count,
  word_embed_proj_dim: count.optional(),
  do_layer_norm_before: z.boolean().default(true),
  _remove_final_layer_norm: z.boolean().default(false),
  activation_function: z.string().default('relu'),
  enable_bias: z.boolean().default(true),
  layer_norm_elementwise_affine: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(true),
  eos_token_id: z.union([tokenId, z.array(tokenId).min(1)]).default(2),
  pad_token_id: tokenId.default(1),
});
type Config = z.infer<typeof configSchema>;

/** The position table begins with two rows that only padding would use; ours begins at position 0. */
const POSITION_OFFSET = 2;
/** torch.nn.LayerNorm's default, which OPT takes. */
const EPSILON = 1e-5;

export const opt: Architecture = {
  modelType: 'opt',
  plan(checkpoint, prompt) {
    const config = checkpoint.readConfig(configSchema);
    refuseUnsupported(config, checkpoint.path('config.json'));
    const heads = config.num_attention_heads;
    return {
      description: {
        kind: 'decoder',
        architecture: 'opt',
        dimensions: {
          layers: config.num_hidden_layers,
          hidden: config.hidden_size,
          heads,
          kvHeads: heads,
          headDim: config.hidden_size / heads,
          vocabulary: config.vocab_size,
          maxTokens: config.max_position_embeddings,
        },
        tokens: { eos: [config.eos_token_id].flat(), pad: config.pad_token_id },
        prompt: decoderPrompt(checkpoint, prompt),
      },
      compose: (graph, products) => compose(graph, products, checkpoint, config),
    };
  },
};

function refuseUnsupported(config: Config, file: string): void {
  const refuse = (field: string, why: string) => {
    throw new BuildError(`${file}: ${field}: ${why}`);
  };
  if (!config.do_layer_norm_before) refuse('do_layer_norm_before', 'false is not supported (norms after each block)');
  if (config._remove_final_layer_norm) refuse('_remove_final_layer_norm', 'true is not supported');
  if ((config.word_embed_proj_dim ?? config.hidden_size) !== config.hidden_size) {
    refuse(
      'word_embed_proj_dim',
      `${config.word_embed_proj_dim} is not supported, only hidden_size (${config.hidden_size})`,
    );
  }
  if (config.activation_function !== 'relu')
    refuse('activation_function', `'${config.activation_function}' is not supported, only 'relu'`);
  if (!config.enable_bias) refuse('enable_bias', 'false is not supported');
  if (!config.layer_norm_elementwise_affine) refuse('layer_norm_elementwise_affine', 'false is not supported');
  if (!config.tie_word_embeddings) refuse('tie_word_embeddings', 'false is not supported');
  if (config.hidden_size % config.num_attention_heads !== 0) {
    refuse('num_attention_heads', `${config.num_attention_heads} does not divide hidden_size (${config.hidden_size})`);
  }
}

function compose(graph: GraphBuilder, products: Products, checkpoint: Checkpoint, config: Config): void {
  const prefix = checkpoint.prefixOf('embed_tokens.weight', ['model.decoder.', 'decoder.', '']);
  const { hidden_size: hidden, vocab_size: vocabulary, num_attention_heads: heads, ffn_dim: inner } = config;
  const positions = config.max_position_embeddings;
  const norm = (name: string): Norm => ({
    scale: checkpoint.weight(`${prefix}${name}.weight`, hidden),
    shift: checkpoint.weight(`${prefix}${name}.bias`, hidden),
    epsilon: EPSILON,
  });
  const linear = (name: string, outputs: number, inputs: number): Required<Linear> => ({
    weight: checkpoint.weight(`${prefix}${name}.weight`, outputs, inputs),
    bias: checkpoint.weight(`${prefix}${name}.bias`, outputs),
  });

  const inputIds = graph.input('input_ids', 'int32', ['B', 'S']);
  const positionIds = graph.input('positions', 'int32', ['B', 'S']);
  const seqlensK = graph.input('seqlens_k', 'int32', ['B']);
  const totalSequenceLength = graph.input('total_sequence_length', 'int32', []);
  const logitRows = graph.input('logit_rows', 'int32', ['R']);

  graph.scope('embeddings');
  const table = checkpoint.weight(`${prefix}embed_tokens.weight`, vocabulary, hidden);
  const learned = checkpoint.weight(`${prefix}embed_positions.weight`, positions + POSITION_OFFSET, hidden);
  const positionTable = graph.weight(dropRows(learned.name, learned, POSITION_OFFSET));
  const words = products.embed(table, flatten(graph, inputIds));
  const places = graph.node('Gather', [positionTable, flatten(graph, positionIds)]);
  let sum = graph.node('Add', [words, places]);
  let normed = layerNorm(graph, sum, norm('layers.0.self_attn_layer_norm'));

  const batchShape = graph.node('Concat', [graph.node('Shape', [inputIds]), graph.ints(-1)], {
    attributes: { axis: 0 },
  });
  const cache: CacheInputs = { seqlensK, totalSequenceLength, batchShape };
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `layers.${layer}`;
    const last = layer === config.num_hidden_layers - 1;
    graph.scope(name);
    const attended = cachedAttention(
      graph,
      products.project(normed, packedQkv(linear, name, hidden), { smooth: true }),
      cache,
      layer,
      {
        heads,
        kvHeads: heads,
        headDim: hidden / heads,
      },
    );
    // Nothing after the last attention looks at other tokens: only the rows whose logits are asked for go on.
    const rows = (x: Value) => (last ? graph.node('Gather', [x, logitRows]) : x);
    const out = linear(`${name}.self_attn.out_proj`, hidden, hidden);
    ({ normed, sum } = addAndNorm(
      graph,
      products.project(rows(attended), out),
      rows(sum),
      norm(`${name}.final_layer_norm`),
    ));
    const widened = graph.node('Relu', [
      products.project(normed, linear(`${name}.fc1`, inner, hidden), { smooth: true }),
    ]);
    const narrow = linear(`${name}.fc2`, hidden, inner);
    const next = norm(last ? 'final_layer_norm' : `layers.${layer + 1}.self_attn_layer_norm`);
    ({ normed, sum } = addAndNorm(graph, products.project(widened, narrow, { after: 'relu' }), sum, next));
  }

  graph.scope('head');
  const logits = products.project(normed, { weight: table }, { as: 'logits' });
  decoderOutputs(graph, logits, vocabulary);
}

function packedQkv(
  linear: (name: string, outputs: number, inputs: number) => Required<Linear>,
  layer: string,
  hidden: number,
): Linear {
  const parts = ['q', 'k', 'v'].map((part) => linear(`${layer}.self_attn.${part}_proj`, hidden, hidden));
  return {
    weight: concatenate(
      `${layer}.self_attn.qkv_proj.weight`,
      parts.map((part) => part.weight),
    ),
    bias: concatenate(
      `${layer}.self_attn.qkv_proj.bias`,
      parts.map((part) => part.bias),
    ),
  };
}
