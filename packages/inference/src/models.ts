/** The pair of models that an engine thread serves, loaded and ready. */
import { Decoder } from './decoder.ts';
import { Encoder } from './encoder.ts';
import type { EngineThreadData } from './engine-protocol.ts';
import { ModelFolderError } from './errors.ts';
import { type DecoderManifest, type Manifest, readManifest } from './manifest.ts';
import type { OpenedRuntime } from './open-runtime.ts';
import { Tokenizer } from './tokenizer.ts';

export interface Generator {
  readonly manifest: DecoderManifest;
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}

export interface Models {
  readonly encoder: Encoder;
  readonly generator: Generator;
}

/** @throws ModelFolderError, RuntimeError */
export async function loadModels(opened: OpenedRuntime, data: EngineThreadData): Promise<Models> {
  return {
    encoder: await loadEncoder(opened, data.embedder, data.threads),
    generator: await loadGenerator(opened, data.generator, data),
  };
}

export async function loadEncoder(opened: OpenedRuntime, folder: string, threads: number): Promise<Encoder> {
  return Encoder.load(opened.runtime, folder, await manifestOfKind(folder, 'encoder'), { threads });
}

export async function loadGenerator(
  opened: OpenedRuntime,
  folder: string,
  { threads, slots, context }: Pick<EngineThreadData, 'threads' | 'slots' | 'context'>,
): Promise<Generator> {
  const manifest = await manifestOfKind(folder, 'decoder');
  const options = { threads, slots, context: context ?? manifest.dimensions.maxTokens };
  return {
    manifest,
    tokenizer: await Tokenizer.load(folder),
    decoder: await Decoder.load(opened.runtime, folder, manifest, options),
  };
}

async function manifestOfKind<K extends Manifest['kind']>(
  folder: string,
  kind: K,
): Promise<Extract<Manifest, { kind: K }>> {
  const manifest = await readManifest(folder);
  if (manifest.kind !== kind)
    throw new ModelFolderError(`${folder} holds ${manifest.name}, not of kind ${kind} but ${manifest.kind}`);
  return manifest as Extract<Manifest, { kind: K }>;
}
