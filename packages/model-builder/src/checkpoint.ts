/** What is in a checkpoint folder: its configuration, its tensors, its tokenizer and what it says of itself. */
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { tokenizerFromMerges } from './bpe-tokenizer.ts';
import { BuildError } from './errors.ts';
import { readJson } from './json-file.ts';
import { type TensorDirectory, weightOf } from './stored-tensor.ts';
import type { Weight } from './weight.ts';
import { openWeights } from './weight-files.ts';

/** What a model folder has of a tokenizer. */
export const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
/** From which a tokenizer.json is made where there is none. */
const MERGES_FILES = ['vocab.json', 'merges.txt'] as const;
/** Optional file of a checkpoint with what `config.json` has no place for; options of the build go before it. */
const ABOUT_FILE = 'ragscale.json';

const promptSchema = z.strictObject({
  query: z.string().includes('{text}').optional(),
  passage: z.string().includes('{text}').optional(),
  template: z.string().includes('{question}').includes('{passages}').optional(),
  passageSeparator: z.string().optional(),
  system: z.string().optional(),
});
const aboutSchema = z.strictObject({
  name: z.string().min(1).optional(),
  licence: z.string().min(1).optional(),
  source: z.string().min(1).optional(),
  prompt: promptSchema.optional(),
});
/** Wording around texts (`query`, `passage`: encoders) or around a question and its passages (`template`, and `system` where they chat: decoders). */
export type PromptOverrides = z.infer<typeof promptSchema>;
export type About = z.infer<typeof aboutSchema>;

/** What an architecture asks of a checkpoint. */
export interface Checkpoint {
  /** Path of one of its files, for messages. */
  path(name: string): string;
  /** @throws BuildError naming the file and the field when `config.json` does not fit the schema */
  readConfig<T>(schema: z.ZodType<T>): T;
  readOptional<T>(name: string, schema: z.ZodType<T>): T | undefined;
  /** A file that is not JSON, as it is. */
  readText(name: string): string | undefined;
  /** The first of `prefixes` under which `tensor` is found: the same model is saved with and without its task's head. */
  prefixOf(tensor: string, prefixes: readonly string[]): string;
  /** @throws BuildError when the tensor is missing or has another shape or an unsupported type */
  weight(name: string, ...shape: readonly number[]): Weight;
}

export class FolderCheckpoint implements Checkpoint {
  readonly folder: string;
  readonly about: About;
  readonly modelType: string;
  private readonly tensors: TensorDirectory;

  /** @throws BuildError when the folder is not a checkpoint; the message names the file */
  constructor(folder: string) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new BuildError(`${folder} is not a folder`);
    this.folder = folder;
    this.modelType = this.readConfig(z.object({ model_type: z.string() })).model_type;
    const has = (name: string) => existsSync(this.path(name));
    if (!has('tokenizer_config.json')) throw new BuildError(`${this.path('tokenizer_config.json')} is missing`);
    if (!has('tokenizer.json') && !MERGES_FILES.every(has)) {
      throw new BuildError(`${folder} has neither tokenizer.json nor ${MERGES_FILES.join(' with ')}`);
    }
    this.tensors = openWeights(folder);
    this.about = existsSync(this.path(ABOUT_FILE)) ? readJson(this.path(ABOUT_FILE), aboutSchema) : {};
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  readConfig<T>(schema: z.ZodType<T>): T {
    return readJson(this.path('config.json'), schema);
  }

  readOptional<T>(name: string, schema: z.ZodType<T>): T | undefined {
    return existsSync(this.path(name)) ? readJson(this.path(name), schema) : undefined;
  }

  readText(name: string): string | undefined {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : undefined;
  }

  prefixOf(tensor: string, prefixes: readonly string[]): string {
    const found = prefixes.find((prefix) => this.tensors.has(prefix + tensor));
    if (found === undefined) throw new BuildError(`${this.folder}: tensor ${prefixes[0]}${tensor} is missing`);
    return found;
  }

  /** Writes the `TOKENIZER_FILES` into a folder. @throws BuildError when they cannot be made */
  writeTokenizer(folder: string): void {
    const [definition, config] = TOKENIZER_FILES;
    copyFileSync(this.path(config), path.join(folder, config));
    if (existsSync(this.path(definition))) copyFileSync(this.path(definition), path.join(folder, definition));
    else writeFileSync(path.join(folder, definition), JSON.stringify(tokenizerFromMerges((name) => this.path(name))));
  }

  weight(name: string, ...shape: readonly number[]): Weight {
    return weightOf(this.tensors, this.folder, name, shape);
  }
}

export function readPrompt(file: string): PromptOverrides {
  return readJson(file, promptSchema);
}
