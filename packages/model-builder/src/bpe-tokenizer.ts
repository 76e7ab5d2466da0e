/** How does a checkpoint with only `vocab.json` and `merges.txt` (byte-level BPE, as OPT's) get its `tokenizer.json`? */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { BuildError } from './errors.ts';
import { readJson } from './json-file.ts';

/** The rule by which text is cut before merging. As transformers has them in tokenization_gpt2.py and tokenization_qwen2.py. */
type Family = 'gpt2' | 'qwen2';
const FAMILIES: Readonly<Record<string, Family>> = {
  GPT2Tokenizer: 'gpt2',
  GPT2TokenizerFast: 'gpt2',
  Qwen2Tokenizer: 'qwen2',
  Qwen2TokenizerFast: 'qwen2',
};
/**
 * Given as a Split, not left to ByteLevel: `@huggingface/tokenizers` translates the white space of a Split for JavaScript (to which
 * U+0085 is none and U+FEFF is some), but not that of its own rule for GPT-2.
 */
const WORDS: Readonly<Record<Family, string>> = {
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};
const END_OF_TEXT = '<|endoftext|>';
/** What a family takes for granted where the configuration is silent. */
const DEFAULTS: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  gpt2: { unk_token: END_OF_TEXT, bos_token: END_OF_TEXT, eos_token: END_OF_TEXT },
  qwen2: { unk_token: END_OF_TEXT, eos_token: END_OF_TEXT, pad_token: END_OF_TEXT },
};
const NAMED = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const;

const addedToken = z.object({
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(false),
  special: z.boolean().default(true),
});
type AddedToken = z.infer<typeof addedToken>;
const token = z.union([z.string().min(1), addedToken]).nullish();
const configSchema = z.object({
  tokenizer_class: z.string(),
  add_prefix_space: z.boolean().nullish(),
  add_bos_token: z.boolean().nullish(),
  ...Object.fromEntries(NAMED.map((name) => [name, token])),
  additional_special_tokens: z.array(z.union([z.string().min(1), addedToken])).nullish(),
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), addedToken).nullish(),
});
type Config = z.infer<typeof configSchema> & { readonly [name in (typeof NAMED)[number]]?: z.infer<typeof token> };
const vocabularySchema = z.record(z.string(), z.int().nonnegative());

/** @param pathOf a file of the checkpoint @throws BuildError naming the file, and the line or token at fault */
export function tokenizerFromMerges(pathOf: (name: string) => string): unknown {
  const config: Config = readJson(pathOf('tokenizer_config.json'), configSchema);
  const family = FAMILIES[config.tokenizer_class];
  if (family === undefined) {
    const known = Object.keys(FAMILIES).filter((name) => !name.endsWith('Fast'));
    throw new BuildError(
      `${pathOf('tokenizer_config.json')}: tokenizer_class: '${config.tokenizer_class}' needs a tokenizer.json (without one: ${known.join(', ')})`,
    );
  }
  if (config.add_prefix_space) {
    throw new BuildError(`${pathOf('tokenizer_config.json')}: add_prefix_space: true needs a tokenizer.json`);
  }
  const vocab = readJson(pathOf('vocab.json'), vocabularySchema);
  const merges = readMerges(pathOf('merges.txt'), vocab);
  const added = addedTokens(config, family, vocab, pathOf);
  const bos = contentOf(config.bos_token) ?? DEFAULTS[family].bos_token;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: family === 'qwen2' ? { type: 'NFC' } : null,
    pre_tokenizer: preTokenizer(family),
    post_processor: config.add_bos_token && bos !== undefined ? bosFirst(bos, added, vocab) : null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

function preTokenizer(family: Family): unknown {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const split = { type: 'Split', pattern: { Regex: WORDS[family] }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, byteLevel] };
}

function bosFirst(
  bos: string,
  added: readonly { id: number; content: string }[],
  vocab: Readonly<Record<string, number>>,
): unknown {
  const piece = { SpecialToken: { id: bos, type_id: 0 } };
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const id = added.find(({ content }) => content === bos)?.id ?? vocab[bos];
  return {
    type: 'TemplateProcessing',
    single: [piece, text('A', 0)],
    pair: [piece, text('A', 0), { SpecialToken: { id: bos, type_id: 1 } }, text('B', 1)],
    special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } },
  };
}

/** Each pair in a line, the first merged first; a line that begins with `#version` may come before them. */
function readMerges(file: string, vocab: Readonly<Record<string, number>>): [string, string][] {
  const lines = readText(file).split('\n');
  const merges: [string, string][] = [];
  for (const [i, raw] of lines.entries()) {
    const line = raw.replace(/\r$/, '');
    if (line === '' || (i === 0 && line.startsWith('#version'))) continue;
    const [left, right, ...more] = line.split(' ');
    if (!left || !right || more.length > 0) throw new BuildError(`${file}: line ${i + 1} is not a pair of tokens`);
    for (const one of [left, right, left + right]) {
      if (!Object.hasOwn(vocab, one))
        throw new BuildError(`${file}: line ${i + 1}: '${one.slice(0, 100)}' is not in vocab.json`);
    }
    merges.push([left, right]);
  }
  return merges;
}

/** Tokens that are found in a text before it is cut, by id: those of the configuration, and what `added_tokens.json` puts behind the vocabulary. */
function addedTokens(
  config: Config,
  family: Family,
  vocab: Readonly<Record<string, number>>,
  pathOf: (name: string) => string,
) {
  const file = pathOf('added_tokens.json');
  const behind: Record<string, number> = existsSync(file) ? readJson(file, vocabularySchema) : {};
  const found = new Map<string, AddedToken & { id?: number }>();
  const add = (value: z.infer<typeof token>) => {
    if (value === null || value === undefined) return;
    const described = typeof value === 'string' ? addedToken.parse({ content: value }) : value;
    if (!found.has(described.content)) found.set(described.content, { ...described, special: true });
  };
  for (const [id, described] of Object.entries(config.added_tokens_decoder ?? {}))
    found.set(described.content, { ...described, id: Number(id) });
  for (const name of NAMED) add(config[name] === undefined ? DEFAULTS[family][name] : config[name]);
  for (const value of config.additional_special_tokens ?? []) add(value);
  for (const content of Object.keys(behind))
    if (!found.has(content)) found.set(content, addedToken.parse({ content, special: false }));
  // As transformers does: what has no place in the vocabulary comes behind it, in the order in which it is named.
  let next = 1 + Object.values(vocab).reduce((most, id) => Math.max(most, id), -1);
  next = Math.max(
    next,
    ...Object.values(behind).map((id) => id + 1),
    ...[...found.values()].map(({ id }) => (id ?? -1) + 1),
  );
  const idOf = (content: string) => (Object.hasOwn(vocab, content) ? vocab[content] : behind[content]);
  return [...found.values()]
    .map((described) => ({ ...described, id: described.id ?? idOf(described.content) ?? next++ }))
    .sort((a, b) => a.id - b.id);
}

const contentOf = (value: z.infer<typeof token>) => (typeof value === 'string' ? value : value?.content);

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new BuildError(`${file} cannot be read`, { cause });
  }
}
