/** How does a test write a pickle by hand, instruction by instruction, and the archive around it? */
import { crc32 } from 'node:zlib';

const ascii = (text: string) => Buffer.from(text, 'latin1');
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const uint16 = (value: number) => Buffer.from([value & 255, value >> 8]);
const join = (...parts: readonly (Buffer | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? ascii(part) : part)));

export const START = Buffer.from([0x80, 2]);
export const STOP = ascii('.');
export const MARK = ascii('(');
export const REDUCE = ascii('R');
export const EMPTY_TUPLE = ascii(')');
export const EMPTY_DICT = ascii('}');
export const EMPTY_LIST = ascii(']');
export const SET_ITEM = ascii('s');
export const NONE = ascii('N');
export const PERSISTENT = ascii('Q');

export const global = (module: string, name: string) => join('c', module, '\n', name, '\n');
export const text = (value: string) => join('X', uint32(Buffer.byteLength(value)), Buffer.from(value));
export const int = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return join('J', bytes);
};
/** LONG1: up to 255 bytes. */
export const long = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return join(Buffer.from([0x8a, 8]), bytes);
};
export const tuple = (...items: readonly Buffer[]) => join(MARK, ...items, 't');
export const call = (called: Buffer, ...parameters: readonly Buffer[]) => join(called, tuple(...parameters), REDUCE);
export const pickle = (...parts: readonly Buffer[]) => join(START, ...parts, STOP);

export interface CraftedTensor {
  readonly storage?: Buffer;
  readonly key?: string;
  readonly elements?: number | bigint;
  readonly offset?: number | bigint;
  /** Or the instructions that make it. */
  readonly shape?: readonly (number | bigint)[] | Buffer;
  readonly strides?: readonly (number | bigint)[];
}

/** As torch.save writes it: a view of a storage, float32 unless told otherwise. */
export function tensor({
  storage,
  key = '0',
  elements = 6,
  offset = 0,
  shape = [2, 3],
  strides = [3, 1],
}: CraftedTensor = {}): Buffer {
  const number = (value: number | bigint) => long(BigInt(value));
  const id = tuple(
    text('storage'),
    storage ?? global('torch', 'FloatStorage'),
    text(key),
    text('cpu'),
    number(elements),
  );
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    join(id, PERSISTENT),
    number(offset),
    Buffer.isBuffer(shape) ? shape : tuple(...shape.map(number)),
    tuple(...strides.map(number)),
    Buffer.from([0x89]),
    call(global('collections', 'OrderedDict')),
  );
}

/** A pickle of `{"w": value}`. */
export const stateDict = (value: Buffer) => pickle(EMPTY_DICT, text('w'), value, SET_ITEM);

export interface ZipFile {
  readonly name: string;
  readonly content: Buffer;
  /** 0: as it is. */
  readonly method?: number;
  /** What the directory says instead of the true length. */
  readonly bytes?: number;
  readonly flags?: number;
}

export function zip(files: readonly ZipFile[]): Buffer {
  const [bodies, directory]: Buffer[][] = [[], []];
  let offset = 0;
  for (const { name, content, method = 0, bytes = content.length, flags = 0 } of files) {
    const common = join(
      uint16(20),
      uint16(flags),
      uint16(method),
      uint32(0),
      uint32(crc32(content)),
      uint32(content.length),
      uint32(bytes),
    );
    const names = join(uint16(Buffer.byteLength(name)), uint16(0));
    const body = join(uint32(0x04034b50), common, names, name, content);
    bodies!.push(body);
    directory!.push(
      join(
        uint32(0x02014b50),
        uint16(20),
        common,
        names,
        uint16(0),
        uint16(0),
        uint16(0),
        uint32(0),
        uint32(offset),
        name,
      ),
    );
    offset += body.length;
  }
  const central = join(...directory!);
  const count = uint16(files.length);
  return join(
    ...bodies!,
    central,
    uint32(0x06054b50),
    uint32(0),
    count,
    count,
    uint32(central.length),
    uint32(offset),
    uint16(0),
  );
}

/** An archive of torch.save with this data.pkl and one storage of six values. */
export const archive = (dataPickle: Buffer, ...more: readonly ZipFile[]) =>
  zip([
    { name: 'archive/data.pkl', content: dataPickle },
    { name: 'archive/data/0', content: Buffer.alloc(24, 7) },
    ...more,
  ]);
