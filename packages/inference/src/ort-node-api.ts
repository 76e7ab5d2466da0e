/**
 * ONNX Runtime through onnxruntime-node's own interface: the same results, for platforms where the library cannot be opened. Slower:
 * it copies every output, the whole cache at each step among them.
 */
import { existsSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { int8Saturates } from './cpu-features.ts';
import { RuntimeError } from './errors.ts';
import { cudaProviderFile } from './ort-files.ts';
import {
  checkValues,
  type PreparedRun,
  type Runtime,
  type Session,
  type SessionOptions,
  type Tensor,
  type ValueInfo,
} from './runtime.ts';

const TYPES = new Set<string>(['float32', 'int32', 'int64', 'uint8', 'int8']);

export class OrtNodeApi implements Runtime {
  readonly name = 'node-api';

  async load(graph: string, options: SessionOptions): Promise<Session> {
    // The binding's own message for a missing file names an internal of it.
    if (!existsSync(graph)) throw new RuntimeError(`could not load ${graph}: the file does not exist`);
    const { device = 'cpu' } = options;
    // Asked for in vain, the binding writes lines of its own to stderr.
    if (device === 'cuda') cudaProviderFile();
    try {
      const session = await ort.InferenceSession.create(graph, {
        executionProviders: device === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: options.threads,
        enableMemPattern: false,
        logSeverityLevel: 4,
        extra: {
          session: {
            intra_op: { allow_spinning: options.spinning === false ? '0' : '1' },
            force_spinning_stop: '1',
            x64quantprecision: int8Saturates() ? '1' : '0',
          },
        },
      });
      return new NodeApiSession(session);
    } catch (cause) {
      throw new RuntimeError(`could not load ${graph}: ${(cause as Error).message}`, { cause });
    }
  }
}

class NodeApiSession implements Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly #session: ort.InferenceSession;
  #released = false;

  constructor(session: ort.InferenceSession) {
    this.#session = session;
    this.inputs = session.inputMetadata.map(describe);
    this.outputs = session.outputMetadata.map(describe);
  }

  prepare(inputs: Readonly<Record<string, Tensor>>, outputs: Readonly<Record<string, Tensor>>): PreparedRun {
    if (this.#released) throw new RuntimeError('the session was released');
    const feeds = toOrt(checkValues('input', this.inputs, inputs));
    const fetches = toOrt(checkValues('output', this.outputs, outputs));
    let released = false;
    return {
      execute: async () => {
        if (released || this.#released) throw new RuntimeError('the run or its session was released');
        try {
          await this.#session.run(feeds, fetches);
        } catch (cause) {
          throw new RuntimeError(`could not run: ${(cause as Error).message}`, { cause });
        }
      },
      release: () => {
        released = true;
      },
    };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    // Frees synchronously; its promise cannot fail after that.
    void this.#session.release();
  }
}

function describe(value: ort.InferenceSession.ValueMetadata): ValueInfo {
  if (!value.isTensor) return { name: value.name, type: 'other:0', dims: [] };
  return {
    name: value.name,
    type: (TYPES.has(value.type) ? value.type : `other:${value.type}`) as ValueInfo['type'],
    dims: value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
  };
}

function toOrt(values: readonly [ValueInfo, Tensor][]): Record<string, ort.Tensor> {
  return Object.fromEntries(
    values.map(([{ name }, tensor]) => [
      name,
      new ort.Tensor(tensor.type, tensor.data as ort.Tensor.DataType as never, tensor.dims),
    ]),
  );
}
