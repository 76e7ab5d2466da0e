/** Llama and Qwen2 decoders: rotary positions, norms by root mean square before each block, grouped queries, SwiGLU, a head tied or not. */
import { z } from 'zod';
import type { Checkpoint } from '../checkpoint.ts';
import { BuildError } from '../errors.ts';
import { type GraphBuilder, MICROSOFT, type Value } from '../graph-builder.ts';
import {
  addAndNorm,
  type CacheInputs,
  cachedAttention,
  decoderOutputs,
  flatten,
  layerNorm,
  type Norm,
  type Rotary,
} from '../layers.ts';
import type { Linear, Products } from '../products.ts';
import { concatenate } from '../weight.ts';
import type { Architecture } from './architecture.ts';
import { decoderPrompt, decoderTokens, tokenFields } from './decoder-text.ts';
import { frequencies, rotaryFields, rotaryTables } from './rotary.ts';

const count = z.int().positive();
const configSchema = z.object({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  max_position_embeddings: count,
  hidden_act: z.string().default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  layer_types: z.array(z.string()).nullish(),
  tie_word_embeddings: z.boolean().default(false),
  ...rotaryFields,
  ...tokenFields,
});
type Config = z.infer<typeof configSchema>;

/** Which products have a bias. */
interface Biases {
  readonly qkv: boolean;
  readonly out: boolean;
  readonly mlp: boolean;
}

interface Shape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

export const qwen2 = architecture('qwen2', () => ({ qkv: true, out: false, mlp: false }));
export const llama = architecture('llama', ({ attention_bias, mlp_bias }) => ({
  qkv: attention_bias,
  out: attention_bias,
  mlp: mlp_bias,
}));

function architecture(modelType: string, biasesOf: (config: Config) => Biases): Architecture {
  return {
    modelType,
    plan(checkpoint, prompt) {
      const config = checkpoint.readConfig(configSchema);
      const file = checkpoint.path('config.json');
      const shape = shapeOf(config, file);
      const perPosition = frequencies(config, shape.headDim, file);
      return {
        description: {
          kind: 'decoder',
          architecture: modelType,
          dimensions: {
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            ...shape,
            vocabulary: config.vocab_size,
            maxTokens: config.max_position_embeddings,
          },
          tokens: decoderTokens(checkpoint, config),
          prompt: decoderPrompt(checkpoint, prompt),
        },
        compose: (graph, products) =>
          compose(graph, products, checkpoint, config, { shape, perPosition, biases: biasesOf(config) }),
      };
    },
  };
}

function shapeOf(config: Config, file: string): Shape {
  const refuse = (field: string, why: string) => {
    throw new BuildError(`${file}: ${field}: ${why}`);
  };
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  const headDim = config.head_dim ?? config.hidden_size / heads;
  if (config.hidden_act !== 'silu') refuse('hidden_act', `'${config.hidden_act}' is not supported, only 'silu'`);
  if (config.use_sliding_window) refuse('use_sliding_window', 'true is not supported');
  const special = config.layer_types?.find((type) => type !== 'full_attention');
  if (special !== undefined) refuse('layer_types', `'${special}' is not supported, only 'full_attention'`);
  if (!Number.isInteger(headDim))
    refuse('num_attention_heads', `${heads} does not divide hidden_size (${config.hidden_size})`);
  if (headDim % 16 !== 0) refuse('head_dim', `${headDim} is not supported, only multiples of 16`);
  if (heads % kvHeads !== 0) refuse('num_key_value_heads', `${kvHeads} does not divide num_attention_heads (${heads})`);
  return { heads, kvHeads, headDim };
}

function compose(
  graph: GraphBuilder,
  products: Products,
  checkpoint: Checkpoint,
  config: Config,
  { shape, perPosition, biases }: { shape: Shape; perPosition: Float32Array; biases: Biases },
): void {
  const prefix = checkpoint.prefixOf('embed_tokens.weight', ['model.', '']);
  const { hidden_size: hidden, vocab_size: vocabulary, intermediate_size: inner } = config;
  const { heads, kvHeads, headDim } = shape;
  const norm = (name: string): Norm => ({
    scale: checkpoint.weight(`${prefix}${name}.weight`, hidden),
    epsilon: config.rms_norm_eps,
  });
  const linear = (name: string, outputs: number, inputs: number, biased: boolean): Linear => ({
    weight: checkpoint.weight(`${prefix}${name}.weight`, outputs, inputs),
    ...(biased ? { bias: checkpoint.weight(`${prefix}${name}.bias`, outputs) } : {}),
  });

  const inputIds = graph.input('input_ids', 'int32', ['B', 'S']);
  const seqlensK = graph.input('seqlens_k', 'int32', ['B']);
  const totalSequenceLength = graph.input('total_sequence_length', 'int32', []);
  const logitRows = graph.input('logit_rows', 'int32', ['R']);

  graph.scope('embeddings');
  const table = checkpoint.weight(`${prefix}embed_tokens.weight`, vocabulary, hidden);
  let sum = products.embed(table, flatten(graph, inputIds));
  let normed = layerNorm(graph, sum, norm('layers.0.input_layernorm'));
  const batchShape = graph.node('Concat', [graph.node('Shape', [inputIds]), graph.ints(-1)], {
    attributes: { axis: 0 },
  });
  const cache: CacheInputs = { seqlensK, totalSequenceLength, batchShape };
  const tables = rotaryTables(perPosition, config.max_position_embeddings);
  const rotary: Rotary = { cosines: graph.weight(tables.cosines), sines: graph.weight(tables.sines) };

  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `layers.${layer}`;
    const last = layer === config.num_hidden_layers - 1;
    graph.scope(name);
    const qkv = packed(`${prefix}${name}.self_attn.qkv_proj`, [
      linear(`${name}.self_attn.q_proj`, heads * headDim, hidden, biases.qkv),
      linear(`${name}.self_attn.k_proj`, kvHeads * headDim, hidden, biases.qkv),
      linear(`${name}.self_attn.v_proj`, kvHeads * headDim, hidden, biases.qkv),
    ]);
    const attended = cachedAttention(
      graph,
      products.project(normed, qkv, { smooth: true }),
      cache,
      layer,
      shape,
      rotary,
    );
    // Nothing after the last attention looks at other tokens: only the rows whose logits are asked for go on.
    const rows = (x: Value) => (last ? graph.node('Gather', [x, logitRows]) : x);
    const out = linear(`${name}.self_attn.o_proj`, hidden, heads * headDim, biases.out);
    ({ normed, sum } = addAndNorm(
      graph,
      products.project(rows(attended), out),
      rows(sum),
      norm(`${name}.post_attention_layernorm`),
    ));
    const gateAndUp = packed(`${prefix}${name}.mlp.gate_up_proj`, [
      linear(`${name}.mlp.gate_proj`, inner, hidden, biases.mlp),
      linear(`${name}.mlp.up_proj`, inner, hidden, biases.mlp),
    ]);
    const widened = swiglu(graph, products.project(normed, gateAndUp, { smooth: true }));
    // What SwiGLU gives has the largest outliers of all: smoothed too.
    const narrow = linear(`${name}.mlp.down_proj`, hidden, inner, biases.mlp);
    const next = norm(last ? 'norm' : `layers.${layer + 1}.input_layernorm`);
    ({ normed, sum } = addAndNorm(graph, products.project(widened, narrow, { smooth: true }), sum, next));
  }

  graph.scope('head');
  const head = config.tie_word_embeddings ? table : checkpoint.weight('lm_head.weight', vocabulary, hidden);
  decoderOutputs(graph, products.project(normed, { weight: head }, { as: 'logits' }), vocabulary);
}

/** Products of the same rows as one, their results side by side. */
function packed(name: string, parts: readonly Linear[]): Linear {
  const biases = parts.flatMap(({ bias }) => (bias === undefined ? [] : [bias]));
  return {
    weight: concatenate(
      `${name}.weight`,
      parts.map(({ weight }) => weight),
    ),
    ...(biases.length > 0 ? { bias: concatenate(`${name}.bias`, biases) } : {}),
  };
}

/** `silu(gate) * up` from the two side by side: QuickGelu with factor 1 is SiLU, in one operator. */
function swiglu(graph: GraphBuilder, gateAndUp: Value): Value {
  const [gate, up] = graph.nodeWithOutputs('Split', [gateAndUp], [undefined, undefined], {
    attributes: { axis: 1, num_outputs: 2 },
  });
  const opened = graph.node('QuickGelu', [gate!], { domain: MICROSOFT, attributes: { alpha: { float: 1 } } });
  return graph.node('Mul', [opened, up!]);
}
