/** Whatever happens to the bytes of a weight file: is it read within its own length or refused in one line, in time and memory that its size bounds? */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../src/errors.ts';
import { readPytorch } from '../src/pytorch/pytorch-file.ts';
import { stateDictHost } from '../src/pytorch/state-dict.ts';
import { PickleError, unpickle } from '../src/pytorch/unpickle.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { BYTES_PER_ELEMENT, type TensorDirectory, weightOf } from '../src/stored-tensor.ts';
import { sizeOf } from '../src/weight.ts';
import { archive, stateDict, tensor } from './crafted-pickle.ts';
import { FIXTURES } from './golden.ts';
import { scratchFolder } from './scratch-folder.ts';

const folder = scratchFolder();
const torchFile = (name: string) => readFileSync(path.join(FIXTURES, 'torch-tensors', name));
const safetensors = readFileSync(path.join(FIXTURES, 'opt-one-head-bf16/model.safetensors'));
const headerBytes = 8 + Number(safetensors.readBigUInt64LE());

type Damage =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'remove'; readonly at: number; readonly length: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

/** @param within the part of the file in which damage tells (headers and directories, not values) */
function damages(within: number): fc.Arbitrary<Damage[]> {
  const at = fc.nat(within);
  return fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at, value: fc.nat(255) }),
      fc.record({ kind: fc.constant('cut' as const), at }),
      fc.record({
        kind: fc.constantFrom('remove', 'repeat'),
        at,
        length: fc.integer({ min: 1, max: 64 }),
      }),
      fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }) }),
    ),
    { minLength: 1, maxLength: 4 },
  );
}

function damaged(whole: Buffer, list: readonly Damage[]): Buffer {
  let bytes = Buffer.from(whole);
  for (const one of list) {
    const at = Math.min(one.at, bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    if (one.kind === 'set') bytes = Buffer.concat([before, Buffer.of(one.value), after.subarray(1)]);
    else if (one.kind === 'cut') bytes = Buffer.from(before);
    else if (one.kind === 'remove') bytes = Buffer.concat([before, after.subarray(one.length)]);
    else if (one.kind === 'repeat') bytes = Buffer.concat([before, after.subarray(0, one.length), after]);
    else bytes = Buffer.concat([before, one.bytes, after]);
  }
  return bytes;
}

/** Opens the file and reads all of it, or sees it refused. @returns whether it could be read */
function readsOrRefuses(read: (file: string) => TensorDirectory, bytes: Buffer): boolean {
  const file = path.join(folder, 'weights');
  writeFileSync(file, bytes);
  try {
    const directory = read(file);
    for (const [name, { dtype, shape, start, bytes: length }] of directory) {
      // What is allocated follows from these, so they are all that bounds it.
      expect(start + length).toBeLessThanOrEqual(statSync(file).size);
      const elementBytes = BYTES_PER_ELEMENT.get(dtype);
      if (elementBytes !== undefined) expect(sizeOf(shape) * elementBytes).toBeLessThanOrEqual(statSync(file).size);
      if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') weightOf(directory, folder, name, shape).read();
    }
    return true;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    expect(error.message).toContain(folder);
    // Names of tensors come from the file; what a person sees is one line all the same.
    expect(error.message).not.toMatch(/\p{Cc}/u);
    return false;
  }
}

describe.each([
  ['safetensors', readSafetensors, safetensors, headerBytes + 16],
  ['an archive of torch.save', readPytorch, torchFile('zip.bin'), torchFile('zip.bin').length],
  ['a legacy file of torch.save', readPytorch, torchFile('legacy.bin'), torchFile('legacy.bin').length],
] as const)('%s', (_, read, whole, within) => {
  it('is readable undamaged', () => {
    expect(readsOrRefuses(read, whole)).toBe(true);
  });

  it('is read or refused after any damage', () => {
    let refused = 0;
    fc.assert(
      fc.property(damages(within), (list) => {
        try {
          if (!readsOrRefuses(read, damaged(whole, list))) refused++;
        } catch (error) {
          throw new Error(`${(error as Error).message} after ${JSON.stringify(list)}`, { cause: error });
        }
      }),
      { numRuns: 400 },
    );
    // Otherwise the damage would not reach what is checked.
    expect(refused).toBeGreaterThan(100);
  });

  it('cut short anywhere is refused', () => {
    fc.assert(
      fc.property(fc.nat(within - 1), (length) => !readsOrRefuses(read, whole.subarray(0, length))),
      { numRuns: 200 },
    );
  });
});

describe('a pickle', () => {
  const whole = stateDict(tensor());

  it('is read or refused after any damage, its checksum notwithstanding', () => {
    fc.assert(
      fc.property(damages(whole.length), (list) => {
        readsOrRefuses(readPytorch, archive(damaged(whole, list)));
      }),
      { numRuns: 1000 },
    );
  });

  it('of any instructions gives a value or a PickleError', () => {
    const codes = [
      ...'(NJKMGXUT)]}tseauqrhjcQRb.',
      '\u0080',
      '\u0085',
      '\u0086',
      '\u0087',
      '\u0088',
      '\u008a',
      '\u008c',
      '\u0093',
      '\u0094',
      '\u0095',
    ];
    const operand = fc.oneof(
      fc.constant(''),
      fc.string({ maxLength: 4 }),
      fc.constantFrom('collections\nOrderedDict\n', 'torch\nFloatStorage\n', '\u0000', '\u0001'),
    );
    const programs = fc.array(fc.tuple(fc.constantFrom(...codes), operand), { maxLength: 60 });
    let values = 0;
    fc.assert(
      fc.property(programs, (program) => {
        const bytes = Buffer.from(`${program.flat().join('')}.`, 'latin1');
        try {
          unpickle(bytes, 0, stateDictHost);
          values++;
        } catch (error) {
          if (!(error instanceof PickleError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
    expect(values).toBeGreaterThan(10);
  });
});
