/** Are the files of `torch.save` read as PyTorch wrote them? The fixtures: test/reference/make_torch_checkpoints.py. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPytorch } from '../src/pytorch/pytorch-file.ts';
import { weightOf } from '../src/stored-tensor.ts';
import {
  archive,
  call,
  EMPTY_DICT,
  EMPTY_TUPLE,
  global,
  pickle,
  SET_ITEM,
  stateDict,
  tensor,
  text,
} from './crafted-pickle.ts';
import { FIXTURES } from './golden.ts';
import { scratchFolder } from './scratch-folder.ts';

const folder = path.join(FIXTURES, 'torch-tensors');
interface Expected {
  readonly dtype: string;
  readonly shape: number[];
  readonly values: number[];
}
const expected = JSON.parse(readFileSync(path.join(folder, 'values.json'), 'utf8')) as Record<string, Expected>;

describe.each(['zip.bin', 'legacy.bin'])('%s', (name) => {
  const directory = readPytorch(path.join(folder, name));

  it('has every tensor of the state dict, with its type and shape', () => {
    const described = [...directory].map(([key, { dtype, shape }]) => [key, { dtype, shape }]);
    expect(Object.fromEntries(described)).toEqual(
      Object.fromEntries(Object.entries(expected).map(([key, { dtype, shape }]) => [key, { dtype, shape }])),
    );
  });

  it.each(Object.keys(expected))('gives the values of %s', (key) => {
    const { dtype, shape, values } = expected[key]!;
    const read = () => [...weightOf(directory, folder, key, shape).read()];
    if (dtype === 'I64' || dtype === 'F64') return expect(read).toThrow(`tensor ${key} has type ${dtype}; F32, F16`);
    return expect(read()).toEqual(values);
  });
});

function opened(bytes: Buffer) {
  const file = path.join(scratchFolder(), 'pytorch_model.bin');
  writeFileSync(file, bytes);
  return readPytorch(file);
}

it('finds the weights that a trainer saved beside its own state', () => {
  const inner = Buffer.concat([EMPTY_DICT, text('layer.weight'), tensor(), SET_ITEM]);
  const directory = opened(
    archive(pickle(EMPTY_DICT, text('epoch'), text('3'), SET_ITEM, text('state_dict'), inner, SET_ITEM)),
  );
  expect([...directory.keys()]).toEqual(['layer.weight']);
});

it('takes parameters, and leaves out what is no tensor', () => {
  const parameter = call(global('torch._utils', '_rebuild_parameter'), tensor(), Buffer.from([0x88]), EMPTY_TUPLE);
  const bytes = pickle(EMPTY_DICT, text('step'), text('x'), SET_ITEM, text('w'), parameter, SET_ITEM);
  expect([...opened(archive(bytes)).keys()]).toEqual(['w']);
});

it('reads an archive under any name of its top folder, and the byte order it says', () => {
  const order = (content: string) =>
    archive(stateDict(tensor()), { name: 'archive/byteorder', content: Buffer.from(content) });
  expect(opened(order('little')).size).toBe(1);
  expect(() => opened(order('big'))).toThrow('has its bytes in big-endian order, which is not supported');
});
