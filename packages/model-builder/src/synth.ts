/** How is a checkpoint of a known model's true shape made with random weights, for measuring speed without a download? */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { architectureOf } from './architectures/known.ts';
import { CATALOGUE, type CatalogueEntry, catalogueEntry } from './catalogue.ts';
import type { Checkpoint } from './checkpoint.ts';
import { BuildError } from './errors.ts';
import { GraphBuilder } from './graph-builder.ts';
import { productsOf } from './linear.ts';
import { openOutputFolder } from './output-folder.ts';
import { normalValues } from './random-values.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-writer.ts';
import { syntheticTokenizer } from './synthetic-tokenizer.ts';
import { sizeOf, type Weight } from './weight.ts';

/** The initializer range of all these families. */
const DEVIATION = 0.02;

export interface SynthOptions {
  /** Name in the catalogue. */
  readonly name: string;
  readonly out: string;
  /** The same seed gives the same bytes. */
  readonly seed: number;
  readonly force?: boolean;
  readonly onProgress?: (writtenBytes: number, totalBytes: number) => void;
}

/** @throws BuildError when the name is not in the catalogue or the folder is there already */
export function synthesizeCheckpoint(options: SynthOptions): { name: string; parameters: number } {
  const entry = catalogueEntry(options.name);
  if (entry === undefined) {
    throw new BuildError(
      `${options.name} is not in the catalogue (known: ${CATALOGUE.map(({ name }) => name).join(', ')})`,
    );
  }
  const output = openOutputFolder(options.out, { force: options.force, marker: 'config.json' });
  try {
    const normal = normalValues(options.seed, DEVIATION);
    const tensors = tensorsOf(entry).map(({ name, shape }): TensorToWrite => {
      const isNormScale = shape.length === 1 && name.endsWith('.weight');
      return {
        name,
        shape,
        values: () => (isNormScale ? new Float32Array(sizeOf(shape)).fill(1) : normal(sizeOf(shape))),
      };
    });
    writeSafetensors(path.join(output.scratch, 'model.safetensors'), tensors, options.onProgress);
    const vocabulary = Number(entry.config.vocab_size);
    const tokenizer = syntheticTokenizer(String(entry.config.model_type), vocabulary);
    const about = {
      name: entry.name,
      licence: 'none (random weights)',
      source: `random weights of the shape of ${entry.name}, seed ${options.seed}`,
      ...(entry.prompt && { prompt: entry.prompt }),
    };
    for (const [name, json] of Object.entries({
      'config.json': entry.config,
      ...entry.files,
      ...tokenizer,
      'ragscale.json': about,
    })) {
      writeFileSync(path.join(output.scratch, name), `${JSON.stringify(json, null, 1)}\n`);
    }
    output.commit();
    return { name: entry.name, parameters: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0) };
  } catch (error) {
    output.discard();
    throw error;
  }
}

/** Number of weights of a catalogue entry. */
export function parametersOf(entry: CatalogueEntry): number {
  return tensorsOf(entry).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** The tensors that the architecture asks for when it is composed: names and shapes are known in one place only. */
function tensorsOf(entry: CatalogueEntry): readonly Weight[] {
  const asked = new Map<string, Weight>();
  const recorder: Checkpoint = {
    path: (name) => `${entry.name}/${name}`,
    readConfig: <T>(schema: z.ZodType<T>) => schema.parse(entry.config),
    readOptional: <T>(name: string, schema: z.ZodType<T>) =>
      entry.files?.[name] === undefined ? undefined : schema.parse(entry.files[name]),
    readText: () => undefined,
    prefixOf: (_, prefixes) => prefixes[0]!,
    weight: (name, ...shape) => {
      const weight = { name, shape, read: () => new Float32Array(sizeOf(shape)) };
      asked.set(name, weight);
      return weight;
    },
  };
  const architecture = architectureOf(String(entry.config.model_type), recorder.path('config.json'));
  const graph = new GraphBuilder(entry.name);
  architecture.plan(recorder, {}).compose(graph, productsOf('fp32', graph));
  return [...asked.values()];
}
