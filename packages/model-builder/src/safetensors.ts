/** Which tensors does a safetensors checkpoint hold, and what are their values? The format: github.com/huggingface/safetensors. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { BuildError } from './errors.ts';
import { toFloat32 } from './float-types.ts';
import { sizeOf, type Weight } from './weight.ts';

const BYTES_PER_ELEMENT: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};
/** The format's own limit on its header. */
const MAX_HEADER_BYTES = 100_000_000;

const offset = z.int().nonnegative();
const tensorHeader = z.object({ dtype: z.string(), shape: z.array(offset), data_offsets: z.tuple([offset, offset]) });
const fileHeader = z.record(z.string(), z.unknown());
const shardIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

interface StoredTensor {
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte position in the file. */
  readonly start: number;
  readonly bytes: number;
}

/** Tensors by name, over one file or the shards of an index. */
export type TensorDirectory = ReadonlyMap<string, StoredTensor>;

/**
 * Reads the headers of `model.safetensors`, or of every shard that `model.safetensors.index.json` names.
 * @throws BuildError naming the file (and the tensor) when a header is not valid or a file is cut short
 */
export function openSafetensors(folder: string): TensorDirectory {
  const single = path.join(folder, 'model.safetensors');
  if (existsSync(single)) return readHeader(single);
  const index = path.join(folder, 'model.safetensors.index.json');
  if (!existsSync(index))
    throw new BuildError(`${folder} has neither model.safetensors nor model.safetensors.index.json`);
  const parsed = shardIndex.safeParse(parseJson(readFileSync(index, 'utf8'), index));
  if (!parsed.success) throw new BuildError(`${index}: weight_map is missing or not a map from tensor to file`);
  const shards = new Map<string, TensorDirectory>();
  const directory = new Map<string, StoredTensor>();
  for (const [name, shardName] of Object.entries(parsed.data.weight_map)) {
    if (shardName !== path.basename(shardName))
      throw new BuildError(`${index}: ${name} lies outside the folder: ${shardName}`);
    const file = path.join(folder, shardName);
    if (!existsSync(file)) throw new BuildError(`${file} is missing; ${index} names it for ${name}`);
    const shard = shards.get(file) ?? readHeader(file);
    shards.set(file, shard);
    const tensor = shard.get(name);
    if (tensor === undefined) throw new BuildError(`${file} has no tensor ${name}, though ${index} says so`);
    directory.set(name, tensor);
  }
  return directory;
}

function readHeader(file: string): TensorDirectory {
  const fd = openSync(file, 'r');
  try {
    const fileBytes = fstatSync(fd).size;
    if (fileBytes < 8)
      throw new BuildError(`${file} is cut short: ${fileBytes} bytes, the header's length alone takes 8`);
    const headerBytes = Number(readAt(fd, file, 0, 8).readBigUInt64LE());
    if (headerBytes > MAX_HEADER_BYTES)
      throw new BuildError(`${file} is not safetensors: its header would have ${headerBytes} bytes`);
    if (8 + headerBytes > fileBytes) {
      throw new BuildError(`${file} is cut short: ${fileBytes} bytes, its header ends at ${8 + headerBytes}`);
    }
    const header = fileHeader.safeParse(parseJson(readAt(fd, file, 8, headerBytes).toString('utf8'), file));
    if (!header.success) throw new BuildError(`${file}: the header is not an object of tensors`);
    return checkedTensors(header.data, file, 8 + headerBytes, fileBytes);
  } finally {
    closeSync(fd);
  }
}

function checkedTensors(
  header: Record<string, unknown>,
  file: string,
  dataStart: number,
  fileBytes: number,
): TensorDirectory {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const parsed = tensorHeader.safeParse(entry);
    if (!parsed.success) throw new BuildError(`${file}: the header of tensor ${name} is not valid`);
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = parsed.data;
    const elementBytes = BYTES_PER_ELEMENT[dtype];
    const bytes = end - begin;
    if (elementBytes !== undefined && bytes !== sizeOf(shape) * elementBytes) {
      throw new BuildError(
        `${file}: tensor ${name} ${dtype} [${shape}] has ${bytes} bytes of data instead of ${sizeOf(shape) * elementBytes}`,
      );
    }
    if (bytes < 0) throw new BuildError(`${file}: tensor ${name} ends before it begins`);
    if (dataStart + end > fileBytes) {
      throw new BuildError(`${file} is cut short: ${fileBytes} bytes, tensor ${name} ends at ${dataStart + end}`);
    }
    tensors.set(name, { file, dtype, shape, start: dataStart + begin, bytes });
  }
  const byStart = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.bytes - b.bytes);
  byStart.reduce((previousEnd, [name, tensor]) => {
    if (tensor.start < previousEnd) throw new BuildError(`${file}: tensor ${name} overlaps the one before it`);
    return tensor.start + tensor.bytes;
  }, dataStart);
  return tensors;
}

/**
 * A tensor as a lazily read float32 weight.
 * @throws BuildError when it is missing, has another shape, or holds a type other than F32, F16 and BF16
 */
export function weightOf(directory: TensorDirectory, folder: string, name: string, shape: readonly number[]): Weight {
  const tensor = directory.get(name);
  if (tensor === undefined) throw new BuildError(`${folder}: tensor ${name} is missing`);
  if (tensor.shape.join() !== shape.join()) {
    throw new BuildError(
      `${tensor.file}: tensor ${name} has shape [${tensor.shape}]; the configuration asks for [${shape}]`,
    );
  }
  const { dtype } = tensor;
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw new BuildError(`${tensor.file}: tensor ${name} has type ${dtype}; F32, F16 and BF16 are supported`);
  }
  return { name, shape, read: () => toFloat32(dtype, readTensor(tensor)) };
}

function readTensor(tensor: StoredTensor): Buffer {
  const fd = openSync(tensor.file, 'r');
  try {
    return readAt(fd, tensor.file, tensor.start, tensor.bytes);
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, file: string, position: number, bytes: number): Buffer {
  // Its own allocation, not a slice of Node's pool: the values are viewed as Float32Array and must be aligned.
  const buffer = Buffer.from(new ArrayBuffer(bytes));
  for (let done = 0; done < bytes; ) {
    const read = readSync(fd, buffer, done, Math.min(bytes - done, 1 << 30), position + done);
    if (read === 0) throw new BuildError(`${file} is cut short: it ended at ${position + done} while being read`);
    done += read;
  }
  return buffer;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BuildError(`${file}: not valid JSON: ${(cause as Error).message}`, { cause });
  }
}
