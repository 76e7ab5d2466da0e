/** Where do the values of a tensor lie in a checkpoint's files, and how do they become a float32 weight without more memory than it takes? */
import { closeSync, openSync, readSync } from 'node:fs';
import { BuildError } from './errors.ts';
import { toFloat32 } from './float-types.ts';
import { sizeOf, type Weight } from './weight.ts';

/** By the names of safetensors. */
export const BYTES_PER_ELEMENT: ReadonlyMap<string, number> = new Map(
  Object.entries({
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
  }),
);

export interface StoredTensor {
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Byte position in the file. */
  readonly start: number;
  /** From the first value to the last; with strides there may be others between them. */
  readonly bytes: number;
  /** Elements from one index to the next along each dimension, where the values do not lie in row-major order. */
  readonly strides?: readonly number[];
}

/** Tensors by name, over one file or the shards of an index. */
export type TensorDirectory = ReadonlyMap<string, StoredTensor>;

/** Read and converted at a time: beside the float32 values no second copy of a tensor is in memory. */
const PIECE_BYTES = 8 << 20;

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
  return { name, shape, read: () => readFloat32(tensor, dtype) };
}

function readFloat32(tensor: StoredTensor, dtype: 'F32' | 'F16' | 'BF16'): Float32Array {
  const elementBytes = BYTES_PER_ELEMENT.get(dtype)!;
  const values = new Float32Array(tensor.bytes / elementBytes);
  const fd = openSync(tensor.file, 'r');
  try {
    for (let done = 0; done < tensor.bytes; done += PIECE_BYTES) {
      const piece = readAt(fd, tensor.file, tensor.start + done, Math.min(PIECE_BYTES, tensor.bytes - done));
      values.set(toFloat32(dtype, piece), done / elementBytes);
    }
  } finally {
    closeSync(fd);
  }
  return tensor.strides === undefined ? values : inRowMajorOrder(values, tensor.shape, tensor.strides);
}

function inRowMajorOrder(values: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const ordered = new Float32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < ordered.length; to++) {
    ordered[to] = values[from]!;
    for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
      from += strides[dimension]!;
      index[dimension] = index[dimension]! + 1;
      if (index[dimension]! < shape[dimension]!) break;
      from -= index[dimension]! * strides[dimension]!;
      index[dimension] = 0;
    }
  }
  return ordered;
}

/** @throws BuildError when the file ends before */
export function readAt(fd: number, file: string, position: number, bytes: number): Buffer {
  // Its own allocation, not a slice of Node's pool: the values are viewed as Float32Array and must be aligned.
  const buffer = Buffer.from(new ArrayBuffer(bytes));
  for (let done = 0; done < bytes; ) {
    const read = readSync(fd, buffer, done, Math.min(bytes - done, 1 << 30), position + done);
    if (read === 0) throw new BuildError(`${file} is cut short: it ended at ${position + done} while being read`);
    done += read;
  }
  return buffer;
}
