/** Which files of a repository does a build read? The rest (other frameworks' weights, pictures, logs) is not pulled. */

/** Each is taken when it is there. */
const DESCRIPTION: readonly string[] = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
];

/** In the order of preference: safetensors before pickles, one file before many. */
const WEIGHTS = [
  { file: 'model.safetensors' },
  { index: 'model.safetensors.index.json' },
  { file: 'pytorch_model.bin' },
  { index: 'pytorch_model.bin.index.json' },
] as const;

export interface NeededFiles {
  readonly description: readonly string[];
  readonly weights: { readonly file: string } | { readonly index: string } | undefined;
}

/** @param present paths of a repository, or of what is in the cache */
export function neededFiles(present: ReadonlySet<string>): NeededFiles {
  return {
    description: DESCRIPTION.filter((name) => present.has(name)),
    weights: WEIGHTS.find((one) => present.has('file' in one ? one.file : one.index)),
  };
}

/** The files that an index (`*.index.json`) puts tensors into, each once. @returns undefined when the text is no index */
export function shardsOf(indexText: string): readonly string[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(indexText);
  } catch {
    return undefined;
  }
  const map: unknown = typeof json === 'object' && json !== null && 'weight_map' in json ? json.weight_map : undefined;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) return undefined;
  const shards = [...new Set<unknown>(Object.values(map))];
  return shards.every((shard) => typeof shard === 'string') ? shards.toSorted() : undefined;
}
