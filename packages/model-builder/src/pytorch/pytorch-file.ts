/** Which tensors does a `.bin` of PyTorch hold, and where? Nothing that the file says is run (unpickle.ts, state-dict.ts). */
import { closeSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { BuildError } from '../errors.ts';
import { readAt, type StoredTensor, type TensorDirectory } from '../stored-tensor.ts';
import { LEGACY_START, readLegacyFile } from './legacy-file.ts';
import { located, stateDictHost, tensorsOf } from './state-dict.ts';
import { PickleError, unpickle } from './unpickle.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

const ZIP_START = Buffer.from('PK\u0003\u0004', 'latin1');
/** A state dict takes some hundred bytes per tensor. */
const MAX_PICKLE_BYTES = 64_000_000;

/** @throws BuildError in one line, naming the file (and the tensor) */
export function readPytorch(file: string): TensorDirectory {
  try {
    const start = firstBytes(file);
    if (start.equals(ZIP_START)) return readArchive(file);
    if (start.equals(LEGACY_START)) return readLegacyFile(file);
    throw new PickleError('is not a file that torch.save writes');
  } catch (error) {
    if (error instanceof PickleError) throw new BuildError(`${file} ${error.message}`, { cause: error });
    throw error;
  }
}

function firstBytes(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    return readAt(fd, file, 0, 4);
  } finally {
    closeSync(fd);
  }
}

/** PyTorch since 1.6: `archive/data.pkl` describes, and the values of a storage are in `archive/data/{key}`. */
function readArchive(file: string): TensorDirectory {
  const entries = readZipDirectory(file);
  const pickles = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw new PickleError('is a zip archive, but not one of PyTorch (it has no data.pkl)');
  const top = pickles[0]!.slice(0, -'data.pkl'.length);
  const order = entries.get(`${top}byteorder`);
  if (order !== undefined && contentOf(file, order) !== 'little') {
    throw new PickleError('has its bytes in big-endian order, which is not supported');
  }
  const tensors = tensorsOf(unpickle(pickleOf(file, entries.get(pickles[0]!)!), 0, stateDictHost).value);
  return new Map<string, StoredTensor>(
    [...tensors].map(([name, view]) => {
      const entry = entries.get(`${top}data/${view.storage.key}`);
      if (entry === undefined) throw new PickleError(`has no data for tensor ${name}`);
      return [name, located(name, view, file, entry)];
    }),
  );
}

function pickleOf(file: string, entry: ZipEntry): Buffer {
  if (entry.bytes > MAX_PICKLE_BYTES) throw new PickleError(`has a data.pkl of ${entry.bytes} bytes`);
  const bytes = bytesOf(file, entry);
  if (crc32(bytes) !== entry.crc32) throw new PickleError('is damaged: the checksum of its data.pkl is another');
  return bytes;
}

function contentOf(file: string, entry: ZipEntry): string {
  return entry.bytes > 16 ? '' : bytesOf(file, entry).toString('latin1');
}

function bytesOf(file: string, { start, bytes }: ZipEntry): Buffer {
  const fd = openSync(file, 'r');
  try {
    return readAt(fd, file, start, bytes);
  } finally {
    closeSync(fd);
  }
}
