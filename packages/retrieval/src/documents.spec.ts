import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_LINE_LENGTH } from './document-files.ts';
import { loadDocuments, type SourceDocument } from './documents.ts';

let outside: string;
let folder: string;

beforeEach(async () => {
  outside = await mkdtemp(path.join(tmpdir(), 'documents-'));
  folder = path.join(outside, 'folder');
  await mkdir(path.join(folder, 'sub'), { recursive: true });
});
afterEach(() => rm(outside, { recursive: true }));

async function put(name: string, content: string | Buffer): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return file;
}

async function load(source = folder): Promise<SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for await (const document of loadDocuments(source)) documents.push(document);
  return documents;
}

describe('documents of a folder', () => {
  it('come by name, with subfolders, and without hidden or other files', async () => {
    await put('b.txt', 'bee');
    await put('a.md', '# A');
    await put('B.TXT', 'upper');
    await put('sub/c.txt', 'sea');
    await put('.hidden.txt', 'no');
    await put('picture.png', 'no');
    await put('empty.txt', ' \n');
    expect(await load()).toEqual([
      { id: 'B.TXT', format: 'plain', text: 'upper' },
      { id: 'a.md', format: 'markdown', text: '# A' },
      { id: 'b.txt', format: 'plain', text: 'bee' },
      { id: 'sub/c.txt', format: 'plain', text: 'sea' },
    ]);
  });

  it('do not follow links out of it or in circles', async () => {
    await put('a.txt', 'a');
    await writeFile(path.join(outside, 'secret.txt'), 'secret');
    await symlink(path.join(outside, 'secret.txt'), path.join(folder, 'linked.txt'));
    await symlink(outside, path.join(folder, 'up'));
    await symlink(folder, path.join(folder, 'sub', 'circle'));
    await symlink('nowhere', path.join(folder, 'broken.txt'));
    expect((await load()).map((document) => document.id)).toEqual(['a.txt']);
  });

  it.each([
    ['a folder without any', 'holds no text'],
    ['a path that is not there', 'exists'],
  ])('are refused for %s', async (what, message) => {
    await expect(load(what.includes('path') ? path.join(folder, 'missing') : folder)).rejects.toThrow(message);
  });
});

describe('text files', () => {
  it('may begin with a byte order mark', async () => {
    expect(await load(await put('a.txt', '\uFEFFtext'))).toEqual([{ id: 'a.txt', format: 'plain', text: 'text' }]);
  });

  it('keep characters whole that lie across two reads', async () => {
    const text = `${'a'.repeat(65_535)}é👍`;
    expect((await load(await put('a.txt', text)))[0]?.text).toBe(text);
  });

  it.each([
    ['Latin-1', Buffer.from([0x63, 0xe9, 0x63]), 'a.txt is not UTF-8'],
    ['half a character at the end', Buffer.from([0x63, 0xc3]), 'a.txt is not UTF-8'],
    ['a zero byte', Buffer.from([0x63, 0]), 'a.txt is binary'],
    ['too many bytes', Buffer.alloc(16 * 1024 * 1024 + 1, 'a'), 'at most 16777216'],
  ])('are refused by name for %s', async (_, content, message) => {
    await expect(load(await put('a.txt', content))).rejects.toThrow(message);
  });

  it('are refused by name for another extension', async () => {
    await expect(load(await put('a.pdf', 'x'))).rejects.toThrow('a.pdf is neither of .txt, .md, .jsonl');
  });
});

describe('lines of JSON', () => {
  it('give a document each, with an id of their own or by line, and the title in front', async () => {
    const lines = [
      '{"text":"one"}',
      '',
      '{"id":"x","title":"Two","text":"two","other":1}\r',
      '{"id":7,"text":"three"}',
    ];
    expect((await load(await put('a.jsonl', lines.join('\n')))).map(({ id, text }) => [id, text])).toEqual([
      ['a.jsonl:1', 'one'],
      ['x', 'Two\n\ntwo'],
      ['7', 'three'],
    ]);
  });

  it.each([
    ['{"text":"a"}\n{oops', 'a.jsonl, line 2 is not JSON'],
    ['{"id":"a"}', 'a.jsonl, line 1: text'],
    ['["a"]', 'a.jsonl, line 1: Invalid input'],
    ['{"text":"\\ud800"}', 'surrogate'],
    ['{"id":"x","text":"a"}\n{"id":"x","text":"b"}', 'the id x stands in a.jsonl and again in a.jsonl'],
    [`{"text":"${'a'.repeat(MAX_LINE_LENGTH)}`, 'line 1 is longer than'],
  ])('are refused by line: %.40s', async (content, message) => {
    await expect(load(await put('a.jsonl', content))).rejects.toThrow(message);
  });
});
