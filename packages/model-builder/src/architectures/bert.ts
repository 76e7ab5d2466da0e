/**
 * BERT encoders for sentence embeddings (`sentence-transformers/all-MiniLM-*`) and their like XLM-RoBERTa (`intfloat/multilingual-e5-*`):
 * norms after each block, exact GELU, mean pooling.
 */
import { z } from 'zod';
import type { Checkpoint } from '../checkpoint.ts';
import { BuildError } from '../errors.ts';
import { type GraphBuilder, MICROSOFT } from '../graph-builder.ts';
import { addAndNorm, flatten, fullAttention, layerNorm, meanPool, type Norm } from '../layers.ts';
import type { Linear, Products } from '../products.ts';
import { addRow, concatenate, dropRows } from '../weight.ts';
import type { Architecture } from './architecture.ts';

const count = z.int().positive();
const configSchema = z.object({
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  max_position_embeddings: count,
  type_vocab_size: count.default(2),
  hidden_act: z.string().default('gelu'),
  position_embedding_type: z.string().default('absolute'),
  is_decoder: z.boolean().default(false),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: z.int().nonnegative().nullish(),
});
type Config = z.infer<typeof configSchema>;
const sentenceConfigSchema = z.object({ max_seq_length: count.optional() });
const poolingSchema = z.object({
  pooling_mode_mean_tokens: z.boolean().optional(),
  pooling_mode: z.string().optional(),
});
/** Text that sentence-transformers puts in front, by the kind of text. */
const promptsSchema = z.object({ prompts: z.record(z.string(), z.string()).nullish() });

/** In what the models of the family differ. */
interface Kind {
  readonly modelType: string;
  /** In front of the names of tensors, where the model was saved with a task's head. */
  readonly prefix: string;
  /** Where `config.json` does not say. */
  readonly pad: number;
  /** Rows at the beginning of the position table that belong to no token of a text. */
  unusedPositions(pad: number): number;
}
/** What of a configuration follows from its kind. */
interface Places {
  readonly prefix: string;
  readonly unusedPositions: number;
}

export const bert = architecture({ modelType: 'bert', prefix: 'bert.', pad: 0, unusedPositions: () => 0 });
/** fairseq, where it comes from, counts positions on from the padding token's id. */
export const xlmRoberta = architecture({
  modelType: 'xlm-roberta',
  prefix: 'roberta.',
  pad: 1,
  unusedPositions: (pad) => pad + 1,
});

function architecture(kind: Kind): Architecture {
  return {
    modelType: kind.modelType,
    plan(checkpoint, prompt) {
      const config = checkpoint.readConfig(configSchema);
      refuseUnsupported(config, checkpoint);
      const pad = config.pad_token_id ?? kind.pad;
      const places = { prefix: kind.prefix, unusedPositions: kind.unusedPositions(pad) };
      // sentence-transformers were trained on shorter texts than there are positions, and cut there.
      const trained = checkpoint.readOptional('sentence_bert_config.json', sentenceConfigSchema)?.max_seq_length;
      const inFront = checkpoint.readOptional('config_sentence_transformers.json', promptsSchema)?.prompts ?? {};
      return {
        description: {
          kind: 'encoder',
          architecture: kind.modelType,
          dimensions: {
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            heads: config.num_attention_heads,
            vocabulary: config.vocab_size,
            maxTokens: Math.min(
              trained ?? Number.POSITIVE_INFINITY,
              config.max_position_embeddings - places.unusedPositions,
            ),
          },
          tokens: { pad },
          pooling: 'mean',
          prompt: {
            query: prompt.query ?? `${inFront.query ?? ''}{text}`,
            passage: prompt.passage ?? `${inFront.passage ?? inFront.document ?? ''}{text}`,
          },
        },
        compose: (graph, products) => compose(graph, products, checkpoint, config, places),
      };
    },
  };
}

function refuseUnsupported(config: Config, checkpoint: Checkpoint): void {
  const refuse = (field: string, why: string, file = 'config.json') => {
    throw new BuildError(`${checkpoint.path(file)}: ${field}: ${why}`);
  };
  if (config.hidden_act !== 'gelu') refuse('hidden_act', `'${config.hidden_act}' is not supported, only 'gelu'`);
  if (config.position_embedding_type !== 'absolute') {
    refuse('position_embedding_type', `'${config.position_embedding_type}' is not supported, only 'absolute'`);
  }
  if (config.is_decoder) refuse('is_decoder', 'true is not supported');
  if (config.hidden_size % config.num_attention_heads !== 0) {
    refuse('num_attention_heads', `${config.num_attention_heads} does not divide hidden_size (${config.hidden_size})`);
  }
  const pooling = checkpoint.readOptional('1_Pooling/config.json', poolingSchema);
  if (pooling?.pooling_mode_mean_tokens === false || (pooling?.pooling_mode ?? 'mean') !== 'mean') {
    refuse('pooling_mode', 'only mean pooling is supported', '1_Pooling/config.json');
  }
}

function compose(
  graph: GraphBuilder,
  products: Products,
  checkpoint: Checkpoint,
  config: Config,
  places: Places,
): void {
  const prefix = checkpoint.prefixOf('embeddings.word_embeddings.weight', ['', places.prefix]);
  const { hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads } = config;
  const norm = (name: string): Norm => ({
    scale: checkpoint.weight(`${prefix}${name}.weight`, hidden),
    shift: checkpoint.weight(`${prefix}${name}.bias`, hidden),
    epsilon: config.layer_norm_eps,
  });
  const linear = (name: string, outputs: number, inputs: number): Required<Linear> => ({
    weight: checkpoint.weight(`${prefix}${name}.weight`, outputs, inputs),
    bias: checkpoint.weight(`${prefix}${name}.bias`, outputs),
  });
  const table = (name: string, rows: number) =>
    checkpoint.weight(`${prefix}embeddings.${name}_embeddings.weight`, rows, hidden);

  const inputIds = graph.input('input_ids', 'int32', ['B', 'S']);
  const lengths = graph.input('lengths', 'int32', ['B']);

  graph.scope('embeddings');
  const shape = graph.node('Shape', [inputIds]);
  const batchShape = graph.node('Concat', [shape, graph.ints(-1)], { attributes: { axis: 0 } });
  const words = products.embed(table('word', config.vocab_size), flatten(graph, inputIds));
  // Every token has type 0: its embedding is part of the positions.
  const learned = table('position', config.max_position_embeddings);
  const positionTable = addRow(
    'positions',
    dropRows(learned.name, learned, places.unusedPositions),
    table('token_type', config.type_vocab_size),
    0,
  );
  const tokens = graph.node('Slice', [shape, graph.ints(1), graph.ints(2)]);
  const positions = graph.node('Slice', [graph.weight(positionTable), graph.ints(0), tokens, graph.ints(0)]);
  const placed = graph.node('Add', [graph.node('Reshape', [words, batchShape]), positions]);
  let x = layerNorm(graph, graph.node('Reshape', [placed, graph.ints(-1, hidden)]), norm('embeddings.LayerNorm'));

  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const name = `encoder.layer.${layer}`;
    graph.scope(name);
    const parts = ['query', 'key', 'value'].map((part) => linear(`${name}.attention.self.${part}`, hidden, hidden));
    const qkv: Linear = {
      weight: concatenate(
        `${name}.attention.qkv.weight`,
        parts.map((part) => part.weight),
      ),
      bias: concatenate(
        `${name}.attention.qkv.bias`,
        parts.map((part) => part.bias),
      ),
    };
    const packed = products.project(x, qkv, { smooth: true });
    const attended = fullAttention(graph, packed, batchShape, lengths, heads, hidden);
    const out = linear(`${name}.attention.output.dense`, hidden, hidden);
    x = addAndNorm(graph, products.project(attended, out), x, norm(`${name}.attention.output.LayerNorm`)).normed;
    const wide = linear(`${name}.intermediate.dense`, inner, hidden);
    const widened = graph.node(
      'BiasGelu',
      [products.project(x, { weight: wide.weight }, { smooth: true }), graph.weight(wide.bias)],
      {
        domain: MICROSOFT,
      },
    );
    const narrow = linear(`${name}.output.dense`, hidden, inner);
    x = addAndNorm(
      graph,
      products.project(widened, narrow, { after: 'gelu' }),
      x,
      norm(`${name}.output.LayerNorm`),
    ).normed;
  }

  graph.scope('pooling');
  graph.output('embeddings', 'float32', ['B', hidden]);
  meanPool(graph, x, batchShape, lengths, 'embeddings');
}
