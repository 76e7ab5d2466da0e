/** Text to token ids and back, from the tokenizer.json of a model folder. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { Charsmap } from './charsmap.ts';
import { ModelFolderError } from './errors.ts';

export interface EncodeOptions {
  /**
   * Whether a special token written out in the text (`</s>`) becomes that token. Text of users must not: it could end
   * or forge a turn. Default false.
   */
  readonly parseSpecials?: boolean;
}

/** Stands in for a model while a tokenizer is made that then shares another's: a vocabulary takes much memory. */
const NO_MODEL = { type: 'BPE', vocab: {}, merges: [] };

export class Tokenizer {
  readonly #full: HubTokenizer;
  /** Knows no added tokens, so that user text cannot name one. The post-processor still adds the model's own. */
  readonly #plain: HubTokenizer;
  /** Any added token written out in a text. */
  readonly #added: RegExp | undefined;
  /** A character that stands within the added tokens of the text at hand, so that they are not found. */
  #guard = '';

  private constructor(definition: object, config: object) {
    this.#full = new HubTokenizer(definition, config);
    this.#plain = new HubTokenizer({ ...definition, added_tokens: [], model: NO_MODEL }, config);
    this.#plain.model = this.#full.model;
    for (const one of [this.#full, this.#plain]) useCharsmaps(one.normalizer);
    const contents = [...this.#full.get_added_tokens_decoder().values()].map(({ content }) => content);
    // Of two that begin alike the longer is the one that is there.
    const patterns = contents.toSorted((a, b) => b.length - a.length).map(escaped);
    if (patterns.length > 0) this.#added = new RegExp(patterns.join('|'), 'g');
    this.#dropGuardsBeforeCutting();
  }

  /** @throws ModelFolderError naming the file that is missing or not a tokenizer */
  static async load(folder: string): Promise<Tokenizer> {
    const [definition, config] = await Promise.all(
      ['tokenizer.json', 'tokenizer_config.json'].map((name) => readJson(path.join(folder, name))),
    );
    try {
      return new Tokenizer(withSpacesSplit(definition) as object, config as object);
    } catch (cause) {
      throw new ModelFolderError(`${folder}/tokenizer.json is not a tokenizer: ${(cause as Error).message}`, { cause });
    }
  }

  /** Token ids, with those that the model wants at the ends (`</s>`, `[CLS]`, ...). */
  encode(text: string, options: EncodeOptions = {}): number[] {
    return (options.parseSpecials ? this.#full : this.#plain).encode(text).ids;
  }

  /**
   * Token ids of the text that `join` makes of `parts`. Special tokens that it puts between them are those tokens; what is written in
   * the parts is only text. Nothing is added at the ends: a chat template has it all.
   */
  encodeAround(parts: readonly string[], join: (parts: readonly string[]) => string): number[] {
    const added = this.#added;
    const safe = added === undefined || !parts.some((part) => part.search(added) >= 0);
    this.#guard = safe ? '' : characterOutside(parts);
    const guarded = (found: string) => {
      const [first = ''] = found;
      return first + this.#guard + found.slice(first.length);
    };
    try {
      const text = join(safe ? parts : parts.map((part) => part.replace(added, guarded)));
      return this.#full.encode(text, { add_special_tokens: false }).ids;
    } finally {
      this.#guard = '';
    }
  }

  /** Text without special tokens. Bytes that are not whole characters come out as U+FFFD. */
  decode(ids: readonly number[]): string {
    if (ids.length === 0) return '';
    return this.#full.decode(ids as number[], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  /** The library looks for added tokens, normalizes, looks once more, and then comes here. */
  #dropGuardsBeforeCutting(): void {
    const cut = this.#full.pre_tokenizer;
    const withoutGuard = (text: string) => (this.#guard === '' ? text : text.replaceAll(this.#guard, ''));
    const cutWithoutGuard = (text: string, options: object) =>
      cut === null ? [withoutGuard(text)] : cut.pre_tokenize(withoutGuard(text), options);
    this.#full.pre_tokenizer = cutWithoutGuard as unknown as typeof cut;
  }
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** For private use, so that no tokenizer knows it, and in none of the texts. */
function characterOutside(texts: readonly string[]): string {
  let code = 0xe000;
  while (texts.some((text) => text.includes(String.fromCharCode(code)))) code++;
  return String.fromCharCode(code);
}

interface NormalizerParts {
  readonly charsmap?: string | null;
  readonly normalizers?: readonly (NormalizerParts | null)[];
  normalize(text: string): string;
}

function useCharsmaps(normalizer: unknown): void {
  const parts = normalizer as NormalizerParts | null;
  if (parts === null) return;
  for (const part of parts.normalizers ?? []) useCharsmaps(part);
  if (parts.charsmap) {
    const charsmap = new Charsmap(parts.charsmap);
    parts.normalize = (text) => charsmap.normalize(text);
  }
}

/**
 * The definition with each WhitespaceSplit as a Split at white space: the library translates that for JavaScript, to which U+0085 is no
 * white space and U+FEFF is some, but not its WhitespaceSplit.
 */
function withSpacesSplit(definition: unknown): unknown {
  const split = { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Removed', invert: false };
  const rewritten = (part: unknown): unknown => {
    const { type, pretokenizers } = (part ?? {}) as { type?: unknown; pretokenizers?: unknown };
    if (type === 'WhitespaceSplit') return split;
    if (Array.isArray(pretokenizers)) return { ...(part as object), pretokenizers: pretokenizers.map(rewritten) };
    return part;
  };
  const { pre_tokenizer, ...rest } = definition as { pre_tokenizer?: unknown };
  return { ...rest, pre_tokenizer: rewritten(pre_tokenizer) };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new ModelFolderError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
