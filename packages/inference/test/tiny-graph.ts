/** Small ONNX graphs for the tests of the runtimes, written to a folder of the test. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const FLOAT = onnx.TensorProto.DataType.FLOAT;

function value(name: string, dims: readonly (number | string)[]) {
  const dim = dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}

function model(graph: object): Uint8Array {
  return onnx.ModelProto.encode(
    onnx.ModelProto.create({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], producerName: 'test', graph }),
  ).finish();
}

/** `y = x + one`, with `x` and `y` float32 `[n, 2]`; `cache_out = cache + x` in place if both are given the same memory. */
export async function writeAddGraph(folder: string): Promise<string> {
  const file = path.join(folder, 'add.onnx');
  await writeFile(
    file,
    model({
      name: 'add',
      node: [
        { opType: 'Add', input: ['x', 'one'], output: ['y'] },
        { opType: 'Add', input: ['cache', 'x'], output: ['cache_out'] },
      ],
      input: [value('x', ['n', 2]), value('cache', ['n', 2])],
      output: [value('y', ['n', 2]), value('cache_out', ['n', 2])],
      initializer: [{ name: 'one', dims: [2], dataType: FLOAT, floatData: [1, 1] }],
    }),
  );
  return file;
}

/** A graph that multiplies a `[512, 512]` matrix by itself `times` times: long enough to be interrupted. */
export async function writeSlowGraph(folder: string, times: number): Promise<string> {
  const file = path.join(folder, 'slow.onnx');
  const node = Array.from({ length: times }, (_, i) => ({
    opType: 'MatMul',
    input: [i === 0 ? 'x' : `m${i - 1}`, 'x'],
    output: [i === times - 1 ? 'y' : `m${i}`],
  }));
  await writeFile(
    file,
    model({ name: 'slow', node, input: [value('x', [512, 512])], output: [value('y', [512, 512])] }),
  );
  return file;
}
