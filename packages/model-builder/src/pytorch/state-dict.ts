/** Which tensors does the pickle of a state dict describe? The only names it may use are those with which PyTorch saves tensors. */
import { BYTES_PER_ELEMENT, type StoredTensor } from '../stored-tensor.ts';
import { sizeOf } from '../weight.ts';
import { Known, PickleError, type PickleHost } from './unpickle.ts';

/** A run of values in the file that several tensors may view. */
export interface Storage {
  readonly dtype: string;
  readonly key: string;
  readonly elements: number;
}

/** What `_rebuild_tensor_v2` makes. Elements, not bytes. */
export class TensorView {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const MAX_DIMENSIONS = 8;
/** Checkpoints of trainers keep the weights under this key, beside the state of the optimizer. */
const WRAPPER = 'state_dict';

class StorageType {
  readonly dtype: string;

  constructor(dtype: string) {
    this.dtype = dtype;
  }
}

const STORAGE_TYPES = new Map(
  Object.entries({
    DoubleStorage: 'F64',
    FloatStorage: 'F32',
    HalfStorage: 'F16',
    BFloat16Storage: 'BF16',
    LongStorage: 'I64',
    IntStorage: 'I32',
    ShortStorage: 'I16',
    CharStorage: 'I8',
    ByteStorage: 'U8',
    BoolStorage: 'BOOL',
  }).map(([name, dtype]) => [`torch.${name}`, new StorageType(dtype)]),
);

/** A new dict. With parameters it would copy: a pickle could have that done again and again. */
const orderedDict = new Known((parameters) => {
  if (parameters.length > 0)
    throw new PickleError('makes an OrderedDict from parameters, which a state dict does not need');
  return new Map();
});
const rebuildTensor = new Known(([storage, offset, shape, strides]) => {
  if (
    !isStorage(storage) ||
    !isCount(offset) ||
    !isExtents(shape) ||
    !isExtents(strides) ||
    shape.length !== strides.length
  ) {
    throw new PickleError('makes a tensor from something else than a storage, an offset, a shape and strides');
  }
  return new TensorView(storage, offset, shape, strides);
});
const rebuildParameter = new Known(([tensor]) => tensor);
const size = new Known(([extents]) => extents);

const NAMES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ...STORAGE_TYPES,
  ['collections.OrderedDict', orderedDict],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch.Size', size],
]);

export const stateDictHost: PickleHost = {
  find: (module, name) => {
    const found = NAMES.get(`${module}.${name}`);
    if (found === undefined) {
      throw new PickleError(
        `asks for ${shown(`${module}.${name}`)}, which no weights need: it is refused, and nothing of it was run`,
      );
    }
    return found;
  },
  load: (id) => {
    const [kind, type, key, , elements, view] = Array.isArray(id) ? id : [];
    if (
      kind !== 'storage' ||
      !(type instanceof StorageType) ||
      typeof key !== 'string' ||
      !isCount(elements) ||
      (view ?? null) !== null
    ) {
      throw new PickleError('refers to something outside that is no storage of PyTorch');
    }
    return { dtype: type.dtype, key, elements } satisfies Storage;
  },
};

/** @throws PickleError when it is no dict with tensors */
export function tensorsOf(value: unknown): ReadonlyMap<string, TensorView> {
  const wrapped: unknown = value instanceof Map ? value.get(WRAPPER) : undefined;
  const dict = wrapped instanceof Map ? wrapped : value;
  if (!(dict instanceof Map)) throw new PickleError('holds no dict of tensors');
  const tensors = [...dict].filter(
    (entry): entry is [string, TensorView] => typeof entry[0] === 'string' && entry[1] instanceof TensorView,
  );
  if (tensors.length === 0) throw new PickleError('holds a dict without tensors');
  return new Map(tensors);
}

/**
 * @param at byte position of the storage's values and how many bytes are there
 * @throws PickleError when the tensor does not lie within its storage
 */
export function located(
  name: string,
  view: TensorView,
  file: string,
  at: { readonly start: number; readonly bytes: number },
): StoredTensor {
  const { storage, offset, shape, strides } = view;
  const elementBytes = BYTES_PER_ELEMENT.get(storage.dtype)!;
  const count = sizeOf(shape);
  if (storage.elements * elementBytes > at.bytes) {
    throw new PickleError(
      `has ${at.bytes} bytes of data for tensor ${shown(name)} instead of ${storage.elements * elementBytes}`,
    );
  }
  const span = count === 0 ? 0 : 1 + shape.reduce((sum, extent, i) => sum + (extent - 1) * strides[i]!, 0);
  // More values than the storage has: the same ones over and over, as expand() makes them; such a file is no checkpoint.
  if (count > storage.elements || offset + span > storage.elements) {
    throw new PickleError(
      `has a tensor ${shown(name)} [${shape}] that lies outside its storage of ${storage.elements} values`,
    );
  }
  const place = { file, dtype: storage.dtype, shape, start: at.start + offset * elementBytes };
  return isRowMajor(shape, strides)
    ? { ...place, bytes: count * elementBytes }
    : { ...place, bytes: span * elementBytes, strides };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (sizeOf(shape) === 0) return true;
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i]!;
  }
  return true;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isExtents = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount);
const isStorage = (value: unknown): value is Storage =>
  typeof value === 'object' && value !== null && 'elements' in value;
/** A name may be as long as the file. */
const shown = (text: string) => text.slice(0, 120);
