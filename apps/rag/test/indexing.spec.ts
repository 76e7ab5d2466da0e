/** Which passages of a document can be found. */
import { expect, it } from 'vitest';
import { indexDocuments } from '../src/indexing.ts';
import { FakeEngine } from './fake-engine.ts';

const engine = new FakeEngine();
const index = (text: string) =>
  indexDocuments([{ id: 'a.md', text, format: 'markdown' }], { engine, embedding: engine, passageTokens: 16 });

it('leaves out passages without a letter or a digit', async () => {
  const rules = Array.from({ length: 40 }, () => '---').join('\n\n');
  const store = await index(`# Birds\n\nHummingbirds hover.\n\n${rules}\n\n# 42\n`);
  const query = (await new FakeEngine().embed(['Birds'], 'query')).vectors[0]!;
  const found = await store.nearest(query, 20, new AbortController().signal);
  expect(found.length).toBe(store.size);
  for (const { text } of found) expect(text).toMatch(/[\p{L}\p{N}]/u);
  expect(found.map(({ text }) => text).join(' ')).toContain('Hummingbirds hover.');
});

it('refuses documents that hold nothing to find', async () => {
  await expect(index('---\n\n***\n')).rejects.toThrow('no letter and no digit');
});
