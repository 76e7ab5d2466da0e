/** What is in a checkpoint folder: its configuration, its tensors, its tokenizer and what it says of itself. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BuildError } from './errors.ts';
import { openSafetensors, type TensorDirectory, weightOf } from './safetensors.ts';
import type { Weight } from './weight.ts';

/** Copied into the model folder. */
export const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
/** Optional file of a checkpoint with what `config.json` has no place for; options of the build go before it. */
const ABOUT_FILE = 'ragscale.json';

const promptSchema = z.strictObject({
  query: z.string().includes('{text}').optional(),
  passage: z.string().includes('{text}').optional(),
  template: z.string().includes('{question}').includes('{passages}').optional(),
  passageSeparator: z.string().optional(),
});
const aboutSchema = z.strictObject({
  name: z.string().min(1).optional(),
  licence: z.string().min(1).optional(),
  source: z.string().min(1).optional(),
  prompt: promptSchema.optional(),
});
/** Wording around texts (`query`, `passage`: encoders) or around a question and its passages (`template`: decoders). */
export type PromptOverrides = z.infer<typeof promptSchema>;
export type About = z.infer<typeof aboutSchema>;

/** What an architecture asks of a checkpoint. */
export interface Checkpoint {
  /** Path of one of its files, for messages. */
  path(name: string): string;
  /** @throws BuildError naming the file and the field when `config.json` does not fit the schema */
  readConfig<T>(schema: z.ZodType<T>): T;
  readOptional<T>(name: string, schema: z.ZodType<T>): T | undefined;
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
    for (const name of TOKENIZER_FILES)
      if (!existsSync(this.path(name))) throw new BuildError(`${this.path(name)} is missing`);
    this.tensors = openSafetensors(folder);
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

  prefixOf(tensor: string, prefixes: readonly string[]): string {
    const found = prefixes.find((prefix) => this.tensors.has(prefix + tensor));
    if (found === undefined) throw new BuildError(`${this.folder}: tensor ${prefixes[0]}${tensor} is missing`);
    return found;
  }

  weight(name: string, ...shape: readonly number[]): Weight {
    return weightOf(this.tensors, this.folder, name, shape);
  }
}

export function readPrompt(file: string): PromptOverrides {
  return readJson(file, promptSchema);
}

function readJson<T>(file: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : 'cannot be read';
    throw new BuildError(`${file} ${why}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new BuildError(`${file}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
}
