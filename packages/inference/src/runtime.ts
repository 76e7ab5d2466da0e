/** What inference needs of ONNX Runtime: load a graph, hold tensors, run in place. Two adapters provide it. */
import type { Device } from './device.ts';
import { RuntimeError } from './errors.ts';

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  int8: Int8Array,
} as const;

export type ElementType = keyof typeof ARRAYS;
export type ArrayOf<T extends ElementType> = InstanceType<(typeof ARRAYS)[T]>;

/** A view of memory that ONNX Runtime reads or writes directly; dims in elements, outermost first. */
export interface Tensor<T extends ElementType = ElementType> {
  readonly type: T;
  readonly dims: readonly number[];
  readonly data: ArrayOf<T>;
}

/** Name, type and shape that a graph declares; a dimension that is free in the graph is -1. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType | `other:${number}`;
  readonly dims: readonly number[];
}

export interface SessionOptions {
  /** Threads within an operator, the caller's among them. */
  readonly threads: number;
  /** Pool threads busy-wait between operators: faster on cores of one's own, harmful on shared ones. Default true. */
  readonly spinning?: boolean;
  /** Where the operators run that have a kernel there; the others run on the CPU. Tensors lie in the CPU's memory. Default `cpu`. */
  readonly device?: Device;
}

/** A run whose tensors are fixed: `execute` as often as wanted, then `release`. */
export interface PreparedRun {
  /** Reads the input tensors, writes the output tensors. Never two at a time for one engine thread. */
  execute(): void | Promise<void>;
  release(): void;
}

export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * Fixes inputs and outputs of a run by name. Every output is written where its tensor points; the same memory may be
   * an input and an output (a cache). Outputs that are left out are computed and thrown away.
   * @throws RuntimeError for a missing or unknown name, a wrong type or rank
   */
  prepare(inputs: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): PreparedRun;
  /** Frees the graph and its weights. Prepared runs of it must not be used afterwards; they refuse. */
  release(): void;
}

export interface Runtime {
  readonly name: 'c-api' | 'node-api';
  /** @throws RuntimeError when the file is missing, is no ONNX graph, or uses operators that this build lacks; or without that device */
  load(graph: string, options: SessionOptions): Promise<Session>;
}

/** Zeroed memory for a tensor, in an ArrayBuffer of its own: those are never moved by the garbage collector. */
export function allocate<T extends ElementType>(type: T, dims: readonly number[]): Tensor<T> {
  const elements = elementCount(dims);
  const array = ARRAYS[type];
  return { type, dims, data: new array(new ArrayBuffer(elements * array.BYTES_PER_ELEMENT)) as ArrayOf<T> };
}

/**
 * Another shape over the first elements of `whole`, sharing its memory: the rows of a cache, a smaller batch.
 * @throws RuntimeError when `whole` is too small
 */
export function view<T extends ElementType>(whole: Tensor<T>, dims: readonly number[], offset = 0): Tensor<T> {
  const elements = elementCount(dims);
  if (offset + elements > whole.data.length) {
    throw new RuntimeError(
      `a view of ${elements} elements at ${offset} does not fit in a tensor of ${whole.data.length}`,
    );
  }
  return { type: whole.type, dims, data: whole.data.subarray(offset, offset + elements) as ArrayOf<T> };
}

export function elementCount(dims: readonly number[]): number {
  let product = 1;
  for (const dim of dims) {
    if (!Number.isInteger(dim) || dim < 0) throw new RuntimeError(`[${dims}] is not a shape`);
    product *= dim;
  }
  return product;
}

/**
 * The named values that a run needs, checked against what the graph declares, in the graph's order.
 * @throws RuntimeError naming the value
 */
export function checkValues(
  role: 'input' | 'output',
  declared: readonly ValueInfo[],
  given: Readonly<Record<string, Tensor>>,
): [ValueInfo, Tensor][] {
  const known = new Set(declared.map((info) => info.name));
  for (const name of Object.keys(given)) {
    if (!known.has(name)) throw new RuntimeError(`the graph has no ${role} ${name}`);
  }
  const values: [ValueInfo, Tensor][] = [];
  for (const info of declared) {
    const tensor = given[info.name];
    if (tensor === undefined) {
      if (role === 'input') throw new RuntimeError(`input ${info.name} is missing`);
      continue;
    }
    if (tensor.type !== info.type) throw new RuntimeError(`${role} ${info.name} is ${info.type}, not ${tensor.type}`);
    const fits =
      tensor.dims.length === info.dims.length && info.dims.every((dim, axis) => dim < 0 || dim === tensor.dims[axis]);
    if (!fits) throw new RuntimeError(`${role} ${info.name} is [${info.dims}], not [${tensor.dims}]`);
    if (elementCount(tensor.dims) !== tensor.data.length) {
      throw new RuntimeError(`${role} ${info.name}: ${tensor.data.length} elements do not fill [${tensor.dims}]`);
    }
    if (!(tensor.data instanceof ARRAYS[tensor.type])) {
      throw new RuntimeError(`${role} ${info.name}: the data of a ${tensor.type} tensor is not its array type`);
    }
    values.push([info, tensor]);
  }
  return values;
}
