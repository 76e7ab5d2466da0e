/** The pair of models that an engine thread serves, loaded and ready. */
import { Decoder } from './decoder.ts';
import { type Device, onDevice } from './device.ts';
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

/** @throws ModelFolderError, RuntimeError, DeviceError */
export function loadModelsOnDevice(opened: OpenedRuntime, data: EngineThreadData) {
  return onDevice(data.device, async (device) => {
    const models = await loadModels(opened, data, device);
    try {
      if (device !== 'cpu') await runOnce(models);
      return models;
    } catch (error) {
      models.encoder.release();
      models.generator.decoder.release();
      throw error;
    }
  });
}

async function loadModels(opened: OpenedRuntime, data: EngineThreadData, device: Device): Promise<Models> {
  const encoder = await loadEncoder(opened, data.embedder, data.threads, device);
  try {
    return { encoder, generator: await loadGenerator(opened, data.generator, { ...data, device }) };
  } catch (error) {
    encoder.release();
    throw error;
  }
}

/** A session may be made on a device that then fails its first run: too old for the kernels, or too small. */
async function runOnce({ encoder, generator }: Models): Promise<void> {
  await encoder.run([{ index: 0, ids: encoder.tokenize('', 'query') }]);
  await generator.decoder.prefill(0, [generator.manifest.tokens.pad], 0, { candidates: 1, logits: false });
}

export async function loadEncoder(
  opened: OpenedRuntime,
  folder: string,
  threads: number,
  device: Device = 'cpu',
): Promise<Encoder> {
  return Encoder.load(opened.runtime, folder, await manifestOfKind(folder, 'encoder'), { threads, device });
}

export async function loadGenerator(
  opened: OpenedRuntime,
  folder: string,
  {
    threads,
    slots,
    context,
    device = 'cpu',
  }: Pick<EngineThreadData, 'threads' | 'slots' | 'context'> & { readonly device?: Device },
): Promise<Generator> {
  const manifest = await manifestOfKind(folder, 'decoder');
  const options = { threads, slots, device, context: context ?? manifest.dimensions.maxTokens };
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
