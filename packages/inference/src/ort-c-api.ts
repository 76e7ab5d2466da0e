/**
 * ONNX Runtime in place, over its C API: owns every native pointer and its lifetime. Nothing outside this file holds one, but for
 * the address of the run options, with which another thread may end a run (`terminateRuns`).
 *
 * Rules that keep it from crashing the process: a native object is released once, by the JavaScript object that made it, and that
 * object refuses afterwards; the memory that a native value points to is referenced by the object that owns the value; names, types,
 * ranks and sizes are checked before a pointer is passed on.
 */
import path from 'node:path';
import koffi from 'koffi';
import { int8Saturates } from './cpu-features.ts';
import { RuntimeError } from './errors.ts';
import { cudaProviderFile } from './ort-files.ts';
import { type OrtFunctions, openOrtLibrary, whyNotLoaded } from './ort-library.ts';
import {
  checkValues,
  type PreparedRun,
  type Runtime,
  type Session,
  type SessionOptions,
  type Tensor,
  type ValueInfo,
} from './runtime.ts';

type Pointer = bigint;

/** ONNXTensorElementDataType of onnxruntime_c_api.h. */
const ELEMENT_CODES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
const ELEMENT_NAMES = new Map(Object.entries(ELEMENT_CODES).map(([name, code]) => [code as number, name]));

/** Errors come back as statuses: logging them as well would only put noise on stderr. */
const LOG_FATAL = 4;
const ALL_OPTIMIZATIONS = 99;
const ARENA_ALLOCATOR = 1;
const DEFAULT_MEMORY = 0;

export class OrtCApi implements Runtime {
  readonly name = 'c-api';
  readonly #libraryFile: string | undefined;
  readonly #ort: OrtFunctions;
  readonly #environment: Pointer;
  readonly #memory: Pointer;
  readonly #runOptions: Pointer;

  /** @throws RuntimeError when the library cannot be opened; the caller may then fall back to the ordinary binding */
  constructor(libraryFile?: string) {
    this.#libraryFile = libraryFile;
    try {
      this.#ort = openOrtLibrary(libraryFile);
    } catch (cause) {
      throw new RuntimeError(`ONNX Runtime's library cannot be opened: ${(cause as Error).message}`, { cause });
    }
    // These three live as long as the process: the environment is shared by all threads, the others are a few bytes.
    this.#environment = this.#make('create the environment', (out) => this.#ort.CreateEnv(LOG_FATAL, 'ragscale', out));
    this.#memory = this.#make('describe memory', (out) =>
      this.#ort.CreateCpuMemoryInfo(ARENA_ALLOCATOR, DEFAULT_MEMORY, out),
    );
    this.#runOptions = this.#make('create run options', (out) => this.#ort.CreateRunOptions(out));
  }

  /** For `terminateRuns` on another thread. Valid until the process ends. */
  get runOptionsAddress(): bigint {
    return this.#runOptions;
  }

  async load(graph: string, options: SessionOptions): Promise<Session> {
    const ort = this.#ort;
    const settings = this.#make('create session options', (out) => ort.CreateSessionOptions(out));
    try {
      this.#check('set threads', ort.SetIntraOpNumThreads(settings, options.threads));
      this.#check('set optimizations', ort.SetSessionGraphOptimizationLevel(settings, ALL_OPTIMIZATIONS));
      // Patterns are kept per input shape: with free lengths they would only pile up.
      this.#check('set memory pattern', ort.DisableMemPattern(settings));
      const entries = {
        'session.intra_op.allow_spinning': options.spinning === false ? '0' : '1',
        // Between runs the pool sleeps, so that an idle pod uses no CPU.
        'session.force_spinning_stop': '1',
        'session.x64quantprecision': int8Saturates() ? '1' : '0',
      };
      for (const [key, value] of Object.entries(entries))
        this.#check(key, ort.AddSessionConfigEntry(settings, key, value));
      if (options.device === 'cuda') this.#addCuda(settings);
      const session = this.#make(`load ${graph}`, (out) => ort.CreateSession(this.#environment, graph, settings, out));
      return new CApiSession(ort, session, this.#memory, this.#runOptions);
    } finally {
      ort.ReleaseSessionOptions(settings);
    }
  }

  /** The first GPU that the process sees; CUDA_VISIBLE_DEVICES and a container's runtime say which that is. */
  #addCuda(settings: Pointer): void {
    const ort = this.#ort;
    const provider = cudaProviderFile(this.#libraryFile);
    const cuda = this.#make('create CUDA options', (out) => ort.CreateCUDAProviderOptions(out));
    try {
      this.#check('load the CUDA provider', ort.SessionOptionsAppendExecutionProvider_CUDA_V2(settings, cuda));
    } catch (error) {
      const reason = whyNotLoaded(provider);
      if (reason === undefined) throw error;
      throw new RuntimeError(`could not load ${path.basename(provider)}: ${reason}`, { cause: error });
    } finally {
      ort.ReleaseCUDAProviderOptions(cuda);
    }
  }

  #make(doing: string, create: (out: BigUint64Array) => unknown): Pointer {
    return make(this.#ort, doing, create);
  }

  #check(doing: string, status: unknown): void {
    check(this.#ort, doing, status);
  }
}

/**
 * Ends the run in progress on the thread that owns `runOptionsAddress`, and refuses all later ones. For shutdown: every row of the
 * batch ends with it.
 */
export function terminateRuns(runOptionsAddress: bigint): void {
  const ort = openOrtLibrary();
  check(ort, 'terminate', ort.RunOptionsSetTerminate(runOptionsAddress));
}

class CApiSession implements Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly #ort: OrtFunctions;
  readonly #memory: Pointer;
  readonly #runOptions: Pointer;
  /** Null-terminated names, referenced as long as the session so that their addresses hold. */
  readonly #names = new Map<string, Uint8Array>();
  #session: Pointer | undefined;

  constructor(ort: OrtFunctions, session: Pointer, memory: Pointer, runOptions: Pointer) {
    this.#ort = ort;
    this.#session = session;
    this.#memory = memory;
    this.#runOptions = runOptions;
    try {
      this.inputs = describe(ort, session, 'Input');
      this.outputs = describe(ort, session, 'Output');
    } catch (error) {
      this.release();
      throw error;
    }
    for (const { name } of [...this.inputs, ...this.outputs]) this.#names.set(name, Buffer.from(`${name}\0`));
  }

  prepare(inputs: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): PreparedRun {
    if (this.#session === undefined) throw new RuntimeError('the session was released');
    const given = checkValues('input', this.inputs, inputs);
    const wanted = checkValues('output', this.outputs, outputs);
    return new CApiRun(this.#ort, () => this.#session, this.#runOptions, this.#side(given), this.#side(wanted));
  }

  release(): void {
    if (this.#session === undefined) return;
    const session = this.#session;
    this.#session = undefined;
    this.#ort.ReleaseSession(session);
  }

  #side(values: readonly [ValueInfo, Tensor][]): Side {
    const side: Side = {
      names: new BigUint64Array(values.length),
      values: new BigUint64Array(values.length),
      memory: values.map(([, tensor]) => tensor.data.buffer),
    };
    values.forEach(([{ name }, tensor], index) => {
      side.names[index] = koffi.address(this.#names.get(name));
      try {
        side.values[index] = createTensor(this.#ort, this.#memory, name, tensor);
      } catch (error) {
        for (const value of side.values) if (value !== 0n) this.#ort.ReleaseValue(value);
        throw error;
      }
    });
    return side;
  }
}

interface Side {
  readonly names: BigUint64Array;
  readonly values: BigUint64Array;
  /** Keeps the memory behind `values` alive. */
  readonly memory: readonly ArrayBufferLike[];
}

class CApiRun implements PreparedRun {
  readonly #ort: OrtFunctions;
  readonly #session: () => Pointer | undefined;
  readonly #runOptions: Pointer;
  readonly #inputs: Side;
  readonly #outputs: Side;
  #released = false;

  constructor(ort: OrtFunctions, session: () => Pointer | undefined, runOptions: Pointer, inputs: Side, outputs: Side) {
    this.#ort = ort;
    this.#session = session;
    this.#runOptions = runOptions;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  execute(): void {
    const session = this.#session();
    if (this.#released || session === undefined) throw new RuntimeError('the run or its session was released');
    const [i, o] = [this.#inputs, this.#outputs];
    const status = this.#ort.Run(
      session,
      this.#runOptions,
      i.names,
      i.values,
      i.values.length,
      o.names,
      o.values.length,
      o.values,
    );
    if (status !== null) check(this.#ort, 'run', status);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const value of this.#inputs.values) this.#ort.ReleaseValue(value);
    for (const value of this.#outputs.values) this.#ort.ReleaseValue(value);
  }
}

function createTensor(ort: OrtFunctions, memory: Pointer, name: string, tensor: Tensor): Pointer {
  const { data, dims } = tensor;
  if (data.buffer.byteLength === 0 && data.length > 0)
    throw new RuntimeError(`the memory of ${name} was transferred away`);
  const address = data.buffer.byteLength === 0 ? 0n : koffi.address(data.buffer) + BigInt(data.byteOffset);
  const shape = BigInt64Array.from(dims, BigInt);
  return make(ort, `create the tensor ${name} [${dims}]`, (out) =>
    ort.CreateTensorWithDataAsOrtValue(
      memory,
      address,
      data.byteLength,
      shape,
      dims.length,
      ELEMENT_CODES[tensor.type],
      out,
    ),
  );
}

function describe(ort: OrtFunctions, session: Pointer, side: 'Input' | 'Output'): ValueInfo[] {
  const count = Number(
    make(ort, `count ${side}s`, (out) => ort[`SessionGet${side}Count`](session, out), 'may be zero'),
  );
  const allocator = make(ort, 'get the allocator', (out) => ort.GetAllocatorWithDefaultOptions(out));
  return Array.from({ length: count }, (_, index) => {
    const text = make(ort, `name ${side} ${index}`, (out) =>
      ort[`SessionGet${side}Name`](session, index, allocator, out),
    );
    const name = koffi.decode.string(text);
    check(ort, 'free a name', ort.AllocatorFree(allocator, text));
    const info = make(ort, `describe ${name}`, (out) => ort[`SessionGet${side}TypeInfo`](session, index, out));
    try {
      return { name, ...describeTensor(ort, info) };
    } finally {
      ort.ReleaseTypeInfo(info);
    }
  });
}

function describeTensor(ort: OrtFunctions, info: Pointer): Pick<ValueInfo, 'type' | 'dims'> {
  // Belongs to the type info: not released by itself. Null for sequences and maps.
  const tensor = make(ort, 'read a type', (out) => ort.CastTypeInfoToTensorInfo(info, out), 'may be zero');
  if (tensor === 0n) return { type: 'other:0', dims: [] };
  const code = new Int32Array(2);
  check(ort, 'read an element type', ort.GetTensorElementType(tensor, code));
  const rank = Number(make(ort, 'read a rank', (out) => ort.GetDimensionsCount(tensor, out), 'may be zero'));
  const dims = new BigInt64Array(Math.max(rank, 1));
  check(ort, 'read a shape', ort.GetDimensions(tensor, dims, rank));
  const type = (ELEMENT_NAMES.get(code[0]!) ?? `other:${code[0]}`) as ValueInfo['type'];
  return { type, dims: Array.from(dims.subarray(0, rank), Number) };
}

function make(
  ort: OrtFunctions,
  doing: string,
  create: (out: BigUint64Array) => unknown,
  zero?: 'may be zero',
): Pointer {
  const out = new BigUint64Array(1);
  check(ort, doing, create(out));
  if (out[0] === 0n && zero === undefined) throw new RuntimeError(`could not ${doing}: ONNX Runtime returned nothing`);
  return out[0]!;
}

function check(ort: OrtFunctions, doing: string, status: unknown): void {
  if (status === null) return;
  const message = ort.GetErrorMessage(status) as string;
  ort.ReleaseStatus(status);
  throw new RuntimeError(`could not ${doing}: ${message}`);
}
