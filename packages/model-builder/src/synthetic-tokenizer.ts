/** What tokenizer goes with random weights? One that takes any text, covers the whole vocabulary and has the true special ids. */

export interface TokenizerFiles {
  readonly 'tokenizer.json': unknown;
  readonly 'tokenizer_config.json': unknown;
}

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** Puts `tokens` on the ids that `specials` leave free, and numbered words (`filler`) on the rest. */
function vocabularyOf(
  size: number,
  specials: ReadonlyMap<number, string>,
  tokens: readonly string[],
  filler: (id: number) => string,
) {
  const waiting = [...tokens];
  const ids = Array.from({ length: size }, (_, id) => id);
  return Object.fromEntries(ids.map((id) => [specials.get(id) ?? waiting.shift() ?? filler(id), id]));
}

function template(specials: readonly { id: number; content: string }[], before: string, after?: string) {
  const piece = (content: string) => ({ SpecialToken: { id: content, type_id: 0 } });
  const around = (ids: readonly string[]) => [
    piece(before),
    ...ids.flatMap((id) => [{ Sequence: { id, type_id: 0 } }, ...(after === undefined ? [] : [piece(after)])]),
  ];
  const used = specials.filter(({ content }) => content === before || content === after);
  const special_tokens = Object.fromEntries(
    used.map(({ id, content }) => [content, { id: content, ids: [id], tokens: [content] }]),
  );
  return { type: 'TemplateProcessing', single: around(['A']), pair: around(['A', 'B']), special_tokens };
}

/** GPT-2's printable stand-ins for the 256 bytes. */
function byteSymbols(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let substitutes = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : substitutes++));
}

/** One with the special tokens of the models of this architecture at their ids. */
export function syntheticTokenizer(modelType: string, vocabularySize: number): TokenizerFiles {
  switch (modelType) {
    case 'bert':
      return wordPieceTokenizer(vocabularySize);
    case 'xlm-roberta':
      return unigramTokenizer(vocabularySize);
    case 'qwen2':
      return chatTokenizer(vocabularySize);
    default:
      return byteLevelTokenizer(vocabularySize);
  }
}

/** Byte-level BPE without merges: a token per byte; `</s>` (2) in front, as with OPT. Other ids decode to words. */
function byteLevelTokenizer(vocabularySize: number): TokenizerFiles {
  const specials = ['<s>', '<pad>', '</s>', '<unk>'].map((content, id) => special(id, content));
  return {
    'tokenizer.json': { ...byteLevelDefinition(vocabularySize, specials), post_processor: template(specials, '</s>') },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: '</s>',
      eos_token: '</s>',
      pad_token: '<pad>',
      unk_token: '<unk>',
    },
  };
}

const CHAT_TEMPLATE =
  "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}" +
  "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

/** Byte-level BPE without merges; nothing in front, and turns between `<|im_start|>` and `<|im_end|>`, as with Qwen2.5. */
function chatTokenizer(vocabularySize: number): TokenizerFiles {
  const specials = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'].map((content, i) => special(151_643 + i, content));
  return {
    'tokenizer.json': { ...byteLevelDefinition(vocabularySize, specials), post_processor: null },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: '<|im_end|>',
      pad_token: '<|endoftext|>',
      chat_template: CHAT_TEMPLATE,
    },
  };
}

function byteLevelDefinition(vocabularySize: number, specials: readonly { id: number; content: string }[]) {
  const byId = new Map(specials.map(({ id, content }) => [id, content]));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specials,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null as unknown,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabularyOf(vocabularySize, byId, byteSymbols(), (id) => `Ġw${id}`),
      merges: [],
    },
  };
}

/** Unigram of single ASCII characters between `<s>` (0) and `</s>` (2), as with XLM-RoBERTa. */
function unigramTokenizer(vocabularySize: number): TokenizerFiles {
  const specials = ['<s>', '<pad>', '</s>', '<unk>'].map((content, id) => special(id, content));
  specials.push(special(vocabularySize - 1, '<mask>'));
  const byId = new Map(specials.map(({ id, content }) => [id, content]));
  const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const vocabulary = vocabularyOf(vocabularySize, byId, ['▁', ...characters], (id) => `▁w${id}`);
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specials,
      normalizer: { type: 'NFKC' },
      pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
      post_processor: template(specials, '<s>', '</s>'),
      decoder: metaspace,
      model: {
        type: 'Unigram',
        unk_id: 3,
        byte_fallback: false,
        vocab: Object.keys(vocabulary)
          .toSorted((a, b) => vocabulary[a]! - vocabulary[b]!)
          .map((token) => [token, vocabulary[token]! < 4 ? 0 : -10]),
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'XLMRobertaTokenizer',
      bos_token: '<s>',
      eos_token: '</s>',
      sep_token: '</s>',
      cls_token: '<s>',
      unk_token: '<unk>',
      pad_token: '<pad>',
      mask_token: '<mask>',
    },
  };
}

/** WordPiece of single ASCII characters between `[CLS]` (101) and `[SEP]` (102), as with BERT. */
function wordPieceTokenizer(vocabularySize: number): TokenizerFiles {
  const specials = [
    special(0, '[PAD]'),
    special(100, '[UNK]'),
    special(101, '[CLS]'),
    special(102, '[SEP]'),
    special(103, '[MASK]'),
  ];
  const byId = new Map(specials.map(({ id, content }) => [id, content]));
  const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specials,
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: template(specials, '[CLS]', '[SEP]'),
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: vocabularyOf(
          vocabularySize,
          byId,
          characters.flatMap((c) => [c, `##${c}`]),
          (id) => `[unused${id}]`,
        ),
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizerFast',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      do_lower_case: true,
    },
  };
}
