/** In which files of a checkpoint folder are the weights: one or several, safetensors or PyTorch's? */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BuildError } from './errors.ts';
import { readPytorch } from './pytorch/pytorch-file.ts';
import { readSafetensors } from './safetensors.ts';
import type { StoredTensor, TensorDirectory } from './stored-tensor.ts';

/** In the order of preference, as a pull takes them (hub/needed-files.ts). */
const FORMATS = [
  { single: 'model.safetensors', index: 'model.safetensors.index.json', read: readSafetensors },
  { single: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json', read: readPytorch },
] as const;

const shardIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

/** @throws BuildError naming the file (and the tensor) when one is missing, not valid or cut short */
export function openWeights(folder: string): TensorDirectory {
  for (const { single, index, read } of FORMATS) {
    if (existsSync(path.join(folder, single))) return read(path.join(folder, single));
    if (existsSync(path.join(folder, index))) return openShards(folder, path.join(folder, index), read);
  }
  const names = FORMATS.flatMap(({ single, index }) => [single, index]);
  throw new BuildError(`${folder} has no weights: none of ${names.join(', ')}`);
}

function openShards(folder: string, index: string, read: (file: string) => TensorDirectory): TensorDirectory {
  const parsed = shardIndex.safeParse(parseJson(index));
  if (!parsed.success) throw new BuildError(`${index}: weight_map is missing or not a map from tensor to file`);
  const shards = new Map<string, TensorDirectory>();
  const directory = new Map<string, StoredTensor>();
  for (const [name, shardName] of Object.entries(parsed.data.weight_map)) {
    if (shardName !== path.basename(shardName) || shardName.includes('\\'))
      throw new BuildError(`${index}: ${name} lies outside the folder: ${shardName}`);
    const file = path.join(folder, shardName);
    if (!existsSync(file)) throw new BuildError(`${file} is missing; ${index} names it for ${name}`);
    const shard = shards.get(file) ?? read(file);
    shards.set(file, shard);
    const tensor = shard.get(name);
    if (tensor === undefined) throw new BuildError(`${file} has no tensor ${name}, though ${index} says so`);
    directory.set(name, tensor);
  }
  return directory;
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new BuildError(`${file}: not valid JSON: ${(cause as Error).message}`, { cause });
  }
}
