/** Does a model built from what PyTorch saves have the bytes of one built from safetensors, and are all of its tensors read right? */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '@ragscale/inference/manifest';
import { describe, expect, it, vi } from 'vitest';
import { readPytorch } from '../src/pytorch/pytorch-file.ts';
import { weightOf } from '../src/stored-tensor.ts';
import { built, FIXTURES } from './golden.ts';
import { hasReference, REFERENCE, runPython } from './python.ts';
import { runReference } from './reference.ts';
import { scratchFolder } from './scratch-folder.ts';

// Python with its libraries takes ten seconds to start on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

describe.skipIf(!hasReference).each(['opt-four-heads-f16', 'bert-four-heads-bf16', 'opt-two-heads-f32'])(
  `%s (needs ${REFERENCE})`,
  (name) => {
    const source = path.join(FIXTURES, name);

    it.each(['zip', 'legacy', 'sharded'])('saved as %s gives the same graph', async (kind) => {
      const checkpoint = path.join(scratchFolder(), 'checkpoint');
      runReference('make_torch_checkpoints.py', 'convert', source, checkpoint, '--as', kind);
      const [ours, theirs] = [await built(checkpoint, 'fp32'), await built(source, 'fp32')];
      expect(await sha256(path.join(ours, 'model.onnx'))).toBe(await sha256(path.join(theirs, 'model.onnx')));
    });
  },
);

it.skipIf(!hasReference)(
  `random tensors, views and types of another seed are read as PyTorch reads them (needs ${REFERENCE})`,
  () => {
    const folder = scratchFolder();
    const seed = Date.now() % 1_000_000;
    runReference('make_torch_checkpoints.py', 'tensors', folder, '--seed', String(seed));
    const expected = JSON.parse(readFileSync(path.join(folder, 'values.json'), 'utf8')) as Record<
      string,
      { dtype: string; shape: number[]; values: number[] }
    >;
    for (const file of ['zip.bin', 'legacy.bin']) {
      const directory = readPytorch(path.join(folder, file));
      for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
        if (!['F32', 'F16', 'BF16'].includes(dtype)) continue;
        expect([...weightOf(directory, folder, name, shape).read()], `${name} of ${file}, seed ${seed}`).toEqual(
          values,
        );
      }
    }
  },
);

it.skipIf(!hasReference)(`what PyTorch would run is refused (needs ${REFERENCE})`, async () => {
  const file = path.join(scratchFolder(), 'evil.bin');
  const marker = `${file}.ran`;
  const code = `
import torch, os
class Evil:
    def __reduce__(self): return os.system, ("touch ${marker}",)
torch.save({"w": Evil()}, "${file}")
torch.save({"w": Evil()}, "${file}.legacy", _use_new_zipfile_serialization=False)
`;
  await runPython(code);
  for (const one of [file, `${file}.legacy`])
    expect(() => readPytorch(one)).toThrow(/asks for posix\.system, which no weights need/);
  expect(() => readFileSync(marker)).toThrow('ENOENT');
});
