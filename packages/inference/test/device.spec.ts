/** The device of a pair of models: with the real ONNX Runtime, which has no CUDA here, and with a stand-in that has it. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../src/device.ts';
import { startEngine } from '../src/engine.ts';
import { DEFAULT_BATCHING, GREEDY } from '../src/engine-api.ts';
import type { EngineThreadData } from '../src/engine-protocol.ts';
import { DeviceError, RuntimeError } from '../src/errors.ts';
import { loadModelsOnDevice } from '../src/models.ts';
import { openRuntime } from '../src/open-runtime.ts';
import { OrtCApi } from '../src/ort-c-api.ts';
import { cudaProviderFile, libraryFile } from '../src/ort-files.ts';
import type { PreparedRun, Runtime, Session, SessionOptions } from '../src/runtime.ts';

const embedded = path.resolve(import.meta.dirname, '../../../models/embedded');
const folders = { embedder: path.join(embedded, 'embedder'), generator: path.join(embedded, 'generator') };
const graphs = {
  embedder: path.join(folders.embedder, 'model.onnx'),
  generator: path.join(folders.generator, 'model.onnx'),
};
const data = { ...folders, threads: 1, slots: 1, runtime: 'auto', batching: DEFAULT_BATCHING } as const;

/** Set on a machine with a GPU and the provider: what is said here of a CPU build is not true there. */
const hasCuda = (() => {
  try {
    return cudaProviderFile() !== '';
  } catch {
    return false;
  }
})();

describe.skipIf(hasCuda).each(['c-api', 'node-api'] as const)('ONNX Runtime without CUDA, on the %s', (runtime) => {
  it('is refused by name, with what is missing', async () => {
    const starting = startEngine({ ...data, runtime, device: 'cuda' });
    await expect(starting).rejects.toThrow(DeviceError);
    await expect(starting).rejects.toThrow(
      /^the models were loaded with CUDA, which failed: ONNX Runtime is installed without CUDA \(no .*providers_cuda.*\)$/,
    );
  });

  it('is answered by the CPU where any device will do, with the same reason', async () => {
    const engine = await startEngine({ ...data, runtime, device: 'auto' });
    expect(engine.device).toEqual({
      name: 'cpu',
      requested: 'auto',
      fallbackReason: expect.stringContaining('ONNX Runtime is installed without CUDA'),
    });
    const settings = { ...GREEDY, maxTokens: 4 };
    expect((await engine.generate({ text: 'Birds' }, settings)).tokens.length).toBeGreaterThan(0);
    await engine.close();
  });
});

it('is the CPU unless something else is asked for', async () => {
  const engine = await startEngine(data);
  expect(engine.device).toEqual({ name: 'cpu', requested: 'cpu' });
  await engine.close();
});

describe.skipIf(process.platform !== 'linux')('a CUDA provider that does not load', () => {
  let folder: string;
  let library: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ragscale-cuda-'));
    library = path.join(folder, path.basename(libraryFile()));
    await copyFile(libraryFile(), library);
    for (const part of ['shared', 'cuda'])
      await writeFile(path.join(folder, `libonnxruntime_providers_${part}.so`), 'not a library');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is refused with the words of the loader, which name the part', async () => {
    const runtime = new OrtCApi(library);
    const loading = runtime.load(graphs.generator, { threads: 1, device: 'cuda' });
    await expect(loading).rejects.toThrow(RuntimeError);
    await expect(loading).rejects.toThrow('could not load libonnxruntime_providers_cuda.so: file too short');
    // And is no harm to the CPU.
    const session = await runtime.load(graphs.generator, { threads: 1 });
    expect(session.inputs.map(({ name }) => name)).toContain('input_ids');
    session.release();
  });
});

/** ONNX Runtime as if it had CUDA: its sessions are made and run by the CPU. */
class PretendedCuda implements Runtime {
  readonly name = 'c-api';
  /** Sessions that were made and not released, as device and folder. */
  readonly open: string[] = [];
  /** Which graph cannot be loaded with CUDA, or not be run. */
  readonly #fails: { readonly loading?: string; readonly running?: string };
  readonly #cpu: Runtime;

  constructor(cpu: Runtime, fails: { readonly loading?: string; readonly running?: string } = {}) {
    this.#cpu = cpu;
    this.#fails = fails;
  }

  async load(graph: string, { device = 'cpu', ...options }: SessionOptions): Promise<Session> {
    const label = `${device} ${path.basename(path.dirname(graph))}`;
    if (device === 'cuda' && graph === this.#fails.loading) throw new RuntimeError('CUDA failure 2: out of memory');
    const session = await this.#cpu.load(graph, options);
    this.open.push(label);
    return {
      inputs: session.inputs,
      outputs: session.outputs,
      prepare: (...values) => this.#failing(graph, device, session.prepare(...values)),
      release: () => {
        session.release();
        this.open.splice(this.open.indexOf(label), 1);
      },
    };
  }

  #failing(graph: string, device: Device, run: PreparedRun): PreparedRun {
    if (device !== 'cuda' || graph !== this.#fails.running) return run;
    const execute = () => {
      throw new RuntimeError('CUDA failure 209: no kernel image is available');
    };
    return { execute, release: () => run.release() };
  }
}

describe('with CUDA', () => {
  let cpu: Runtime;
  beforeAll(async () => {
    ({ runtime: cpu } = await openRuntime('auto'));
  });
  const load = (runtime: Runtime, device: EngineThreadData['device']) =>
    loadModelsOnDevice({ runtime }, { ...data, device });

  it.each(['cuda', 'auto'] as const)('%s: both models are there', async (requested) => {
    const runtime = new PretendedCuda(cpu);
    const { result, device } = await load(runtime, requested);
    expect(device).toEqual({ name: 'cuda', requested });
    expect(runtime.open).toEqual(['cuda embedder', 'cuda generator']);
    result.encoder.release();
    result.generator.decoder.release();
    expect(runtime.open).toEqual([]);
  });

  it('cpu: it is left alone', async () => {
    const runtime = new PretendedCuda(cpu);
    expect((await load(runtime, 'cpu')).device).toEqual({ name: 'cpu', requested: 'cpu' });
    expect(runtime.open).toEqual(['cpu embedder', 'cpu generator']);
  });

  const failures = [
    ['a generator that does not fit', { loading: graphs.generator }, 'out of memory'],
    ['a GPU that cannot run the embedder', { running: graphs.embedder }, 'no kernel image'],
    ['a GPU that cannot run the generator', { running: graphs.generator }, 'no kernel image'],
  ] as const;

  it.each(failures)('auto: %s sends both models to the CPU and leaves nothing behind', async (_, fails, reason) => {
    const runtime = new PretendedCuda(cpu, fails);
    const { device } = await load(runtime, 'auto');
    expect(device).toEqual({ name: 'cpu', requested: 'auto', fallbackReason: expect.stringContaining(reason) });
    expect(runtime.open).toEqual(['cpu embedder', 'cpu generator']);
  });

  it.each(failures)('cuda: %s is an error, and nothing stays', async (_, fails, reason) => {
    const runtime = new PretendedCuda(cpu, fails);
    const loading = load(runtime, 'cuda');
    await expect(loading).rejects.toThrow(DeviceError);
    await expect(loading).rejects.toThrow(reason);
    expect(runtime.open).toEqual([]);
  });
});
