/** What is said about a model folder that is not whole. */
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readManifest } from '../src/manifest.ts';

const generator = path.resolve(import.meta.dirname, '../../../models/embedded/generator');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-manifest-'));
  await cp(generator, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function change(edit: (manifest: Record<string, unknown>) => void) {
  const file = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  edit(manifest);
  await writeFile(file, JSON.stringify(manifest));
}

describe('readManifest', () => {
  it('reads a whole folder', async () => {
    expect(await readManifest(folder)).toMatchObject({ kind: 'decoder', architecture: 'opt' });
  });

  it('says that a folder is no model folder', async () => {
    await expect(readManifest('/nowhere')).rejects.toThrow('/nowhere is not a model folder');
    await writeFile(path.join(folder, 'manifest.json'), '{');
    await expect(readManifest(folder)).rejects.toThrow('manifest.json is not JSON');
  });

  it('names the field that is wrong', async () => {
    await change((manifest) => {
      manifest.precision = 'w3';
    });
    await expect(readManifest(folder)).rejects.toThrow('precision');
  });

  it('names a file that is missing, short or changed', async () => {
    const graph = path.join(folder, 'model.onnx');
    const bytes = await readFile(graph);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(graph, bytes);
    await expect(readManifest(folder)).rejects.toThrow(`${graph} does not have the checksum`);
    await truncate(graph, 1000);
    await expect(readManifest(folder)).rejects.toThrow(`${graph} has 1000 bytes`);
    await rm(graph);
    await expect(readManifest(folder)).rejects.toThrow(`${graph} is missing`);
  });

  it('refuses a file outside the folder', async () => {
    await change((manifest) => {
      (manifest.files as Record<string, unknown>)['../../etc/passwd'] = { bytes: 1, sha256: '0'.repeat(64) };
    });
    await expect(readManifest(folder)).rejects.toThrow('outside its folder');
  });
});
