/** Where the libraries of ONNX Runtime lie: inside the installed onnxruntime-node package. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { RuntimeError } from './errors.ts';

const LIBRARY_NAMES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

const CUDA_PROVIDER_NAME =
  process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';

/** @throws RuntimeError when this platform has none */
export function libraryFile(): string {
  const name = LIBRARY_NAMES[process.platform];
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const file = path.join(path.dirname(packageFile), 'bin/napi-v6', process.platform, process.arch, name ?? '');
  if (name === undefined || !existsSync(file)) {
    throw new RuntimeError(`onnxruntime-node has no library for ${process.platform}/${process.arch}`);
  }
  return file;
}

/**
 * The part that knows CUDA: ONNX Runtime looks for it beside its own library. npm's package is without it; the image rag-cuda has it.
 * @param library that of ONNX Runtime
 * @throws RuntimeError when it is not there
 */
export function cudaProviderFile(library: string = libraryFile()): string {
  const file = path.join(path.dirname(library), CUDA_PROVIDER_NAME);
  if (!existsSync(file)) throw new RuntimeError(`ONNX Runtime is installed without CUDA (no ${CUDA_PROVIDER_NAME})`);
  return file;
}
