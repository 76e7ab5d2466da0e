/** Which models are known by name, what shape have they, and where do they come from? */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { PromptOverrides } from './checkpoint.ts';

export interface CatalogueEntry {
  /** As on the hub. */
  readonly name: string;
  readonly kind: 'encoder' | 'decoder';
  readonly licence: string;
  /** Folder under models/embedded of the models that ship with the repository. */
  readonly embedded?: string;
  /** `config.json`: the shape. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Further files of the checkpoint that the build reads. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** Wording that the model was trained with and its checkpoint does not tell. */
  readonly prompt?: PromptOverrides;
}

const optConfig = (shape: {
  layers: number;
  hidden: number;
  heads: number;
  vocabulary: number;
  positions: number;
}) => ({
  architectures: ['OPTForCausalLM'],
  model_type: 'opt',
  num_hidden_layers: shape.layers,
  hidden_size: shape.hidden,
  word_embed_proj_dim: shape.hidden,
  num_attention_heads: shape.heads,
  ffn_dim: shape.hidden * 4,
  vocab_size: shape.vocabulary,
  max_position_embeddings: shape.positions,
  do_layer_norm_before: true,
  activation_function: 'relu',
  bos_token_id: 2,
  eos_token_id: 2,
  pad_token_id: 1,
});

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'sentence-transformers/all-MiniLM-L6-v2',
    kind: 'encoder',
    licence: 'Apache-2.0',
    embedded: 'embedder',
    config: {
      architectures: ['BertModel'],
      model_type: 'bert',
      num_hidden_layers: 6,
      hidden_size: 384,
      num_attention_heads: 12,
      intermediate_size: 1536,
      vocab_size: 30522,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      hidden_act: 'gelu',
      layer_norm_eps: 1e-12,
      pad_token_id: 0,
    },
    files: { 'sentence_bert_config.json': { max_seq_length: 256, do_lower_case: false } },
  },
  {
    name: 'tiny-rag-opt',
    kind: 'decoder',
    licence: 'Apache-2.0',
    embedded: 'generator',
    config: optConfig({ layers: 7, hidden: 256, heads: 4, vocabulary: 4096, positions: 512 }),
  },
  {
    name: 'facebook/opt-125m',
    kind: 'decoder',
    // Its licence allows research only: the weights are never part of this repository.
    licence: 'OPT-175B licence (non-commercial)',
    config: optConfig({ layers: 12, hidden: 768, heads: 12, vocabulary: 50272, positions: 2048 }),
  },
  {
    name: 'intfloat/multilingual-e5-large-instruct',
    kind: 'encoder',
    licence: 'MIT',
    config: {
      architectures: ['XLMRobertaModel'],
      model_type: 'xlm-roberta',
      num_hidden_layers: 24,
      hidden_size: 1024,
      num_attention_heads: 16,
      intermediate_size: 4096,
      vocab_size: 250002,
      max_position_embeddings: 514,
      type_vocab_size: 1,
      hidden_act: 'gelu',
      layer_norm_eps: 1e-5,
      pad_token_id: 1,
    },
    files: { 'sentence_bert_config.json': { max_seq_length: 512, do_lower_case: false } },
    // From its model card: a task in front of questions, nothing in front of passages.
    prompt: {
      query: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: {text}',
      passage: '{text}',
    },
  },
  {
    name: 'Qwen/Qwen2.5-1.5B-Instruct',
    kind: 'decoder',
    licence: 'Apache-2.0',
    config: {
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      num_hidden_layers: 28,
      hidden_size: 1536,
      num_attention_heads: 12,
      num_key_value_heads: 2,
      intermediate_size: 8960,
      vocab_size: 151936,
      max_position_embeddings: 32768,
      hidden_act: 'silu',
      rms_norm_eps: 1e-6,
      rope_theta: 1e6,
      sliding_window: 32768,
      use_sliding_window: false,
      tie_word_embeddings: true,
      bos_token_id: 151643,
      eos_token_id: 151645,
    },
    files: { 'generation_config.json': { eos_token_id: [151645, 151643], pad_token_id: 151643 } },
  },
];

export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/** Folder of a model that ships with the repository, when it is there. */
export function embeddedFolder(entry: CatalogueEntry): string | undefined {
  if (entry.embedded === undefined) return undefined;
  const folder = path.resolve(import.meta.dirname, '../../../models/embedded', entry.embedded);
  return existsSync(path.join(folder, 'manifest.json')) ? folder : undefined;
}
