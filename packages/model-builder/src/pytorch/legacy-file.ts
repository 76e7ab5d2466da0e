/**
 * How is a file of PyTorch before 1.6 laid out? Five pickles (a magic number, a version, the machine's number sizes, the state dict, the
 * names of the storages in their order), then each storage as a count and its values (torch/serialization.py, _legacy_save).
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { BYTES_PER_ELEMENT, readAt, type StoredTensor, type TensorDirectory } from '../stored-tensor.ts';
import { located, type Storage, stateDictHost, tensorsOf } from './state-dict.ts';
import { PickleError, type PickleHost, unpickle } from './unpickle.ts';

/** The pickles of the largest models take a few megabytes. */
const MAX_HEAD_BYTES = 64_000_000;
const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** The first bytes of every such file: a pickle of protocol 2 with a number of ten bytes. */
export const LEGACY_START = Buffer.from([0x80, 0x02, 0x8a, 0x0a]);

/** @throws PickleError when it is not such a file, and BuildError when it ends too early */
export function readLegacyFile(file: string): TensorDirectory {
  const fd = openSync(file, 'r');
  try {
    const fileBytes = fstatSync(fd).size;
    const head = readAt(fd, file, 0, Math.min(fileBytes, MAX_HEAD_BYTES));
    const storages = new Map<string, Storage>();
    const host: PickleHost = {
      find: stateDictHost.find,
      load: (id) => {
        const storage = stateDictHost.load(id) as Storage;
        storages.set(storage.key, storage);
        return storage;
      },
    };
    const parts: unknown[] = [];
    let end = 0;
    for (let i = 0; i < 5; i++) {
      const { value, end: next } = unpickle(head, end, host);
      parts.push(value);
      end = next;
    }
    const [magic, version, machine, dict, keys] = parts;
    if (magic !== MAGIC || version !== VERSION) throw new PickleError('does not begin as a file of PyTorch does');
    if (machine instanceof Map && machine.get('little_endian') === false)
      throw new PickleError('has its bytes in big-endian order, which is not supported');
    const tensors = tensorsOf(dict);
    const places = storagePlaces(fd, file, fileBytes, keys, storages, end);
    return new Map<string, StoredTensor>(
      [...tensors].map(([name, view]) => {
        const at = places.get(view.storage.key);
        if (at === undefined) throw new PickleError(`has no data for tensor ${name}`);
        return [name, located(name, view, file, at)];
      }),
    );
  } finally {
    closeSync(fd);
  }
}

function storagePlaces(
  fd: number,
  file: string,
  fileBytes: number,
  keys: unknown,
  storages: ReadonlyMap<string, Storage>,
  from: number,
) {
  const places = new Map<string, { start: number; bytes: number }>();
  if (!Array.isArray(keys)) throw new PickleError('does not say which data it holds');
  let at = from;
  for (const key of keys) {
    const storage = storages.get(key as string);
    if (storage === undefined)
      throw new PickleError(`holds data ${JSON.stringify(String(key).slice(0, 60))} that nothing refers to`);
    if (at + 8 > fileBytes)
      throw new PickleError(
        `is cut short: it ends at ${fileBytes}, where data of ${storage.elements} values should begin`,
      );
    const elements = readAt(fd, file, at, 8).readBigInt64LE();
    if (elements !== BigInt(storage.elements))
      throw new PickleError(`has ${elements} values of data instead of ${storage.elements}`);
    const bytes = storage.elements * BYTES_PER_ELEMENT.get(storage.dtype)!;
    if (at + 8 + bytes > fileBytes)
      throw new PickleError(`is cut short: it ends at ${fileBytes} instead of ${at + 8 + bytes} or later`);
    places.set(storage.key, { start: at + 8, bytes });
    at += 8 + bytes;
  }
  return places;
}
