/** Which tensors does a safetensors file hold, and where? The format: github.com/huggingface/safetensors. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { z } from 'zod';
import { BuildError } from './errors.ts';
import { BYTES_PER_ELEMENT, readAt, type StoredTensor, type TensorDirectory } from './stored-tensor.ts';
import { sizeOf } from './weight.ts';

/** The format's own limit on its header. */
const MAX_HEADER_BYTES = 100_000_000;

const offset = z.int().nonnegative();
const tensorHeader = z.object({ dtype: z.string(), shape: z.array(offset), data_offsets: z.tuple([offset, offset]) });
const fileHeader = z.record(z.string(), z.unknown());

/**
 * Reads the header of one file.
 * @throws BuildError naming the file (and the tensor) when the header is not valid or the file is cut short
 */
export function readSafetensors(file: string): TensorDirectory {
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
    const elementBytes = BYTES_PER_ELEMENT.get(dtype);
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

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BuildError(`${file}: not valid JSON: ${(cause as Error).message}`, { cause });
  }
}
