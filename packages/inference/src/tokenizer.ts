/** Text to token ids and back, from the tokenizer.json of a model folder. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { ModelFolderError } from './errors.ts';

export interface EncodeOptions {
  /**
   * Whether a special token written out in the text (`</s>`) becomes that token. Text of users must not: it could end
   * or forge a turn. Default false.
   */
  readonly parseSpecials?: boolean;
}

export class Tokenizer {
  readonly #full: HubTokenizer;
  /** Knows no added tokens, so that user text cannot name one. The post-processor still adds the model's own. */
  readonly #plain: HubTokenizer;

  private constructor(full: HubTokenizer, plain: HubTokenizer) {
    this.#full = full;
    this.#plain = plain;
  }

  /** @throws ModelFolderError naming the file that is missing or not a tokenizer */
  static async load(folder: string): Promise<Tokenizer> {
    const [definition, config] = await Promise.all(
      ['tokenizer.json', 'tokenizer_config.json'].map((name) => readJson(path.join(folder, name))),
    );
    try {
      const plain = { ...(definition as object), added_tokens: [] };
      return new Tokenizer(
        new HubTokenizer(definition as object, config as object),
        new HubTokenizer(plain, config as object),
      );
    } catch (cause) {
      throw new ModelFolderError(`${folder}/tokenizer.json is not a tokenizer: ${(cause as Error).message}`, { cause });
    }
  }

  /** Token ids, with those that the model wants at the ends (`</s>`, `[CLS]`, ...). */
  encode(text: string, options: EncodeOptions = {}): number[] {
    return (options.parseSpecials ? this.#full : this.#plain).encode(text).ids;
  }

  /** Text without special tokens. Bytes that are not whole characters come out as U+FFFD. */
  decode(ids: readonly number[]): string {
    if (ids.length === 0) return '';
    return this.#full.decode(ids as number[], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new ModelFolderError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
