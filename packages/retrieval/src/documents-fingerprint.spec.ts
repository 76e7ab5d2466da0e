import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fingerprintDocuments } from './documents-fingerprint.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-fingerprint-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(folder, ...names);
const fingerprint = () => fingerprintDocuments(folder);

/** Every state must differ from every other, and be the same when it is looked at twice. */
async function expectAllDifferent(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const seen: string[] = [];
  for (const step of steps) {
    await step();
    seen.push(await fingerprint());
    expect(await fingerprint()).toBe(seen.at(-1));
  }
  expect(new Set(seen).size).toBe(steps.length);
}

it('differs when a file comes, is written, is renamed, goes, or the folder does', async () => {
  await expectAllDifferent([
    () => writeFile(at('a.md'), 'one'),
    () => writeFile(at('b.md'), 'two'),
    () => writeFile(at('b.md'), 'three'),
    () => rename(at('b.md'), at('c.md')),
    () => rm(at('c.md')).then(() => writeFile(at('d.txt'), '')),
    () => rm(folder, { recursive: true }),
  ]);
});

it('differs when a text of the same length is written, which moves only the time', async () => {
  await expectAllDifferent([
    () => writeFile(at('a.md'), 'one').then(() => utimes(at('a.md'), 1, 1)),
    () => writeFile(at('a.md'), 'two').then(() => utimes(at('a.md'), 2, 2)),
  ]);
});

it('differs when a link is turned to a folder that looks the same, as the kubelet does with a ConfigMap', async () => {
  const version = async (name: string) => {
    await mkdir(at(name));
    await writeFile(at(name, 'a.md'), 'same');
    await utimes(at(name, 'a.md'), 1, 1);
    await symlink(name, at('..data.new'));
    await rename(at('..data.new'), at('..data'));
  };
  await symlink(path.join('..data', 'a.md'), at('a.md'));
  await expectAllDifferent([() => version('..1'), () => version('..2')]);
});

it('is the same when what is no document changes', async () => {
  await writeFile(at('a.md'), 'one');
  const before = await fingerprint();
  await writeFile(at('notes.pdf'), 'x');
  await writeFile(at('.hidden.md'), 'x');
  expect(await fingerprint()).toBe(before);
});

it('is that of a single file, too', async () => {
  await writeFile(at('a.md'), 'one');
  const before = await fingerprintDocuments(at('a.md'));
  await writeFile(at('b.md'), 'x');
  expect(await fingerprintDocuments(at('a.md'))).toBe(before);
  await writeFile(at('a.md'), 'more');
  expect(await fingerprintDocuments(at('a.md'))).not.toBe(before);
});
