/** Documents that change while a pod answers: real files, put in place as the kubelet does it and as people do. */
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProcess } from '../../../test/support/pod-process.ts';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

const CATS = 'Cats are small furry carnivores that are often kept as pets.';
const DOGS = 'Dogs are domesticated mammals, not natural wild animals.';
const WHALES = 'Whales breathe air through blowholes on their heads.';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-changed-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let versions = 0;

/** The files of a ConfigMap, as the kubelet puts them into a volume: links over `..data`, which is turned to a new folder in one step. */
async function putConfigMap(files: Readonly<Record<string, string>>): Promise<void> {
  const version = `..2026_11_22_${versions++}`;
  await mkdir(path.join(folder, version));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, version, name), text);
  await symlink(version, path.join(folder, '..data_tmp'));
  await rename(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
  for (const name of Object.keys(files))
    await symlink(path.join('..data', name), path.join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
}

const startWith = (env: Record<string, string> = {}) =>
  startPod({ env: { DOCUMENTS: folder, DOCUMENTS_CHECK_MS: '10', VARIANT: 'batched', SLOTS: '2', ...env } });

async function sourceOf(pod: PodFixture, query: string): Promise<string> {
  const { sources } = (await (await pod.post({ query, k: 1 })).json()) as { sources: { text: string }[] };
  return sources[0]!.text;
}

const indexedTimes = (pod: PodFixture) => pod.log.filter(({ msg }) => msg === 'documents are indexed').length;
const complaints = (pod: PodFixture) => pod.log.filter(({ msg }) => String(msg).includes('cannot be used'));

describe('documents of a pod', () => {
  it('are indexed again when the kubelet turns the link of their ConfigMap', async () => {
    await putConfigMap({ 'a.md': CATS, 'b.md': DOGS });
    await using pod = await startWith();
    expect(await sourceOf(pod, WHALES)).not.toBe(WHALES);
    expect(await pod.metrics()).toContain('ragscale_passages{variant="batched"} 2\n');
    await putConfigMap({ 'a.md': CATS, 'b.md': DOGS, 'c.md': WHALES });
    await until(() => indexedTimes(pod) === 2);
    expect(await sourceOf(pod, WHALES)).toBe(WHALES);
    expect(await pod.metrics()).toContain('ragscale_passages{variant="batched"} 3\n');
    // What is gone is not answered from any more.
    await putConfigMap({ 'c.md': WHALES });
    await unlink(path.join(folder, 'a.md'));
    await unlink(path.join(folder, 'b.md'));
    await until(async () => (await pod.metrics()).includes('ragscale_passages{variant="batched"} 1\n'));
    expect(await sourceOf(pod, CATS)).toBe(WHALES);
  });

  it('are not embedded again where they are the same', async () => {
    await putConfigMap({ 'a.md': CATS, 'b.md': DOGS });
    await using pod = await startWith({ EMBEDDING_CACHE_MB: '0', SHARE_EMBEDDINGS: 'off' });
    const before = pod.engine.embedded.length;
    await putConfigMap({ 'a.md': CATS, 'b.md': DOGS, 'c.md': WHALES });
    await until(() => indexedTimes(pod) === 2);
    expect(pod.engine.embedded.slice(before)).toEqual([[WHALES]]);
  });

  it('stay as they were while what they have become cannot be used, which a metric and one line of the log say', async () => {
    await putConfigMap({ 'a.md': CATS });
    await using pod = await startWith();
    await putConfigMap({ 'a.md': 'broken: \0' });
    await until(() => complaints(pod).length > 0);
    expect(complaints(pod)[0]).toMatchObject({ level: 'error', reason: expect.stringContaining('a.md is binary') });
    expect(await pod.metrics()).toContain('ragscale_documents_outdated{variant="batched"} 1\n');
    expect(await sourceOf(pod, CATS)).toBe(CATS);
    expect((await fetch(`${pod.url}/readyz`)).status).toBe(200);
    await putConfigMap({ 'a.md': WHALES });
    await until(() => indexedTimes(pod) === 2);
    expect(await pod.metrics()).toContain('ragscale_documents_outdated{variant="batched"} 0\n');
    expect(await sourceOf(pod, CATS)).toBe(WHALES);
    expect(complaints(pod)).toHaveLength(1);
  });

  it('stay as they were when their folder goes, and are taken anew when it is back', async () => {
    await writeFile(path.join(folder, 'a.md'), CATS);
    await using pod = await startWith();
    await rename(folder, `${folder}-away`);
    await until(() => complaints(pod).length > 0);
    expect(await sourceOf(pod, CATS)).toBe(CATS);
    await writeFile(path.join(`${folder}-away`, 'a.md'), DOGS);
    await rename(`${folder}-away`, folder);
    await until(() => indexedTimes(pod) === 2);
    expect(await sourceOf(pod, CATS)).toBe(DOGS);
  });

  it('are looked at once alone where that is asked for', async () => {
    await writeFile(path.join(folder, 'a.md'), CATS);
    await using watched = await startWith();
    await using unwatched = await startWith({ DOCUMENTS_CHECK_MS: '0' });
    await writeFile(path.join(folder, 'a.md'), DOGS);
    await until(() => indexedTimes(watched) === 2);
    expect(indexedTimes(unwatched)).toBe(1);
    expect(await sourceOf(unwatched, CATS)).toBe(CATS);
  });

  it('are let go when the pod ends while it indexes', async () => {
    await writeFile(path.join(folder, 'a.md'), CATS);
    const pod = await startWith();
    const held = Promise.withResolvers<never>();
    held.promise.catch(() => {});
    let asked = false;
    pod.engine.countTokens = () => {
      asked = true;
      return held.promise;
    };
    await writeFile(path.join(folder, 'a.md'), DOGS);
    await until(() => asked);
    const ended = pod.pod.shutDown();
    held.reject(new Error('the engine was closed'));
    expect(await ended).toBe(0);
    expect(complaints(pod)).toEqual([]);
  });
});

it('a process with the real models answers from new documents without a request lost', {
  timeout: 120_000,
}, async () => {
  await putConfigMap({ 'a.md': CATS, 'b.md': DOGS });
  const pod = await startProcess({ env: { DOCUMENTS: folder, DOCUMENTS_CHECK_MS: '50', VARIANT: 'batched' } });
  try {
    const texts: string[] = [];
    const ask = async (): Promise<void> => {
      const response = await pod.post({ query: 'How do whales breathe?', k: 1, max_tokens: 4 });
      expect(response.status).toBe(200);
      const { sources } = (await response.json()) as { sources: { text: string }[] };
      texts.push(sources[0]!.text);
    };
    await ask();
    await putConfigMap({ 'a.md': CATS, 'b.md': DOGS, 'c.md': WHALES });
    while (texts.at(-1) !== WHALES) await Promise.all([ask(), ask(), ask()]);
    expect(texts[0]).not.toBe(WHALES);
    expect(pod.log.filter(({ msg }) => msg === 'documents are indexed').map(({ passages }) => passages)).toEqual([
      2, 3,
    ]);
  } finally {
    await pod.stop();
  }
});
