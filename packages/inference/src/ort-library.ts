/** Which functions of ONNX Runtime's C API are used: opens the library, resolves each by its place in the table. */
import koffi from 'koffi';
import { RuntimeError } from './errors.ts';
import { libraryFile } from './ort-files.ts';

/**
 * Version of the function table. ONNX Runtime keeps every older table for ever and never reorders one
 * (onnxruntime_c_api.h, OrtApiBase::GetApi), so this number need not follow the package's version.
 */
const API_VERSION = 22;

/** Place in the table and signature, as in struct OrtApi of onnxruntime_c_api.h. `void*` returns are OrtStatus*, null for success. */
const FUNCTIONS = {
  GetErrorMessage: [2, 'const char* (void* status)'],
  CreateEnv: [3, 'void* (int level, const char* id, void* out)'],
  CreateSession: [7, 'void* (void* env, const char* path, void* options, void* out)'],
  Run: [
    9,
    'void* (void* session, void* runOptions, void* inputNames, void* inputs, size_t inputCount, void* outputNames, size_t outputCount, void* outputs)',
  ],
  CreateSessionOptions: [10, 'void* (void* out)'],
  DisableMemPattern: [17, 'void* (void* options)'],
  SetSessionGraphOptimizationLevel: [23, 'void* (void* options, int level)'],
  SetIntraOpNumThreads: [24, 'void* (void* options, int threads)'],
  SessionGetInputCount: [30, 'void* (void* session, void* out)'],
  SessionGetOutputCount: [31, 'void* (void* session, void* out)'],
  SessionGetInputTypeInfo: [33, 'void* (void* session, size_t index, void* out)'],
  SessionGetOutputTypeInfo: [34, 'void* (void* session, size_t index, void* out)'],
  SessionGetInputName: [36, 'void* (void* session, size_t index, void* allocator, void* out)'],
  SessionGetOutputName: [37, 'void* (void* session, size_t index, void* allocator, void* out)'],
  CreateRunOptions: [39, 'void* (void* out)'],
  RunOptionsSetTerminate: [46, 'void* (void* options)'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void* (void* memory, uint64_t data, size_t bytes, void* shape, size_t rank, int type, void* out)',
  ],
  CastTypeInfoToTensorInfo: [55, 'void* (void* info, void* out)'],
  GetTensorElementType: [60, 'void* (void* info, void* out)'],
  GetDimensionsCount: [61, 'void* (void* info, void* out)'],
  GetDimensions: [62, 'void* (void* info, void* values, size_t count)'],
  CreateCpuMemoryInfo: [69, 'void* (int allocator, int kind, void* out)'],
  AllocatorFree: [76, 'void* (void* allocator, void* pointer)'],
  GetAllocatorWithDefaultOptions: [78, 'void* (void* out)'],
  ReleaseStatus: [93, 'void (void* status)'],
  ReleaseSession: [95, 'void (void* session)'],
  ReleaseValue: [96, 'void (void* value)'],
  ReleaseRunOptions: [97, 'void (void* options)'],
  ReleaseTypeInfo: [98, 'void (void* info)'],
  ReleaseSessionOptions: [100, 'void (void* options)'],
  AddSessionConfigEntry: [130, 'void* (void* options, const char* key, const char* value)'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'void* (void* options, void* cuda)'],
  CreateCUDAProviderOptions: [205, 'void* (void* out)'],
  ReleaseCUDAProviderOptions: [208, 'void (void* cuda)'],
} as const;

export type OrtFunctions = { readonly [name in keyof typeof FUNCTIONS]: (...args: unknown[]) => unknown };

/**
 * Opens the library inside the installed onnxruntime-node package.
 * @throws RuntimeError when this platform has none, or koffi or the library cannot be opened
 */
export function openOrtLibrary(file: string = libraryFile()): OrtFunctions {
  const library = koffi.load(file);
  opened.push(library);
  const base: unknown = library.func('void* OrtGetApiBase()')();
  const [getApi, getVersion] = koffi.decode(base, 'void*', 2) as [unknown, unknown];
  const api: unknown = koffi.call(getApi, prototype('void* (uint32_t version)'), API_VERSION);
  if (api === null) {
    const version: unknown = koffi.call(getVersion, prototype('const char* ()'));
    throw new RuntimeError(`${file} (ONNX Runtime ${version}) does not offer API version ${API_VERSION}`);
  }
  const last = Math.max(...Object.values(FUNCTIONS).map(([index]) => index));
  const table = koffi.decode(api, 'void*', last + 1) as unknown[];
  const functions = Object.entries(FUNCTIONS).map(([name, [index, signature]]) => [
    name,
    koffi.decode(table[index], prototype(signature)) as (...args: unknown[]) => unknown,
  ]);
  return Object.fromEntries(functions) as OrtFunctions;
}

/** koffi unloads a library when its handle is collected, whatever functions of it are still held: keep them all. */
const opened: unknown[] = [];

let prototypes = 0;

/** koffi wants every prototype named, and no name twice in a process. */
function prototype(signature: string) {
  const [result, parameters] = [signature.slice(0, signature.indexOf('(')), signature.slice(signature.indexOf('('))];
  return koffi.proto(`${result} ragscale_ort_${prototypes++}${parameters}`);
}

/** What the system's loader says of a library that ONNX Runtime could not load; it tells nobody which part is missing. */
export function whyNotLoaded(file: string): string | undefined {
  try {
    koffi.load(file).unload();
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Failed to load shared library: /, '');
  }
}
