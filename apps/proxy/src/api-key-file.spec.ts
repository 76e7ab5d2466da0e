import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newApiKey } from '@ragscale/service/api-keys';
import { createLogger } from '@ragscale/service/logging';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiKeyFile, ApiKeyFileError } from './api-key-file.ts';

const [one, two] = [newApiKey(), newApiKey()];

let folder: string;
let file: string;
let log: Record<string, unknown>[];
let opened: ApiKeyFile | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ragscale-keys-'));
  file = path.join(folder, 'keys');
  log = [];
});
afterEach(() => {
  opened?.stop();
  opened = undefined;
  rmSync(folder, { recursive: true });
});

function open(): ApiKeyFile {
  const output = { write: (line: string) => log.push(JSON.parse(line)) };
  const logger = createLogger({ level: 'info', format: 'json' }, output);
  opened = new ApiKeyFile({ path: file, logger, intervalMs: 5 });
  return opened;
}

const nameOf = (keys: ApiKeyFile, key: string): string | undefined => keys.keys.find(`Bearer ${key}`)?.name;
/** A look at the file of the test before may end after it. */
const errors = () => log.filter(({ level, path: of }) => level === 'error' && of === file);
const someLooks = () => new Promise((resolve) => setTimeout(resolve, 150));

describe('at the start', () => {
  it('reads the file', () => {
    writeFileSync(file, `a ${one.hash}\na ${two.hash}\n`);
    const keys = open();
    expect(nameOf(keys, one.key)).toBe('a');
    expect(log).toMatchObject([{ level: 'info', keys: 2, holders: 1, path: file, msg: 'API keys are read' }]);
  });

  it('fails with the name of a file that is not there', () => {
    expect(open).toThrow(ApiKeyFileError);
    expect(open).toThrow(`the file of API keys ${file}: it cannot be read (ENOENT)`);
  });

  it('fails with the line of a file that is bad', () => {
    writeFileSync(file, `a ${one.hash}\nb ${two.key}\n`);
    expect(open).toThrow(`the file of API keys ${file}: line 2: `);
    expect(open).not.toThrow(two.key);
  });
});

describe('when the file changes', () => {
  it('follows, also through the symbolic links of a mounted Secret', async () => {
    const [before, after] = ['..data_1', '..data_2'].map((name) => path.join(folder, name)) as [string, string];
    for (const [where, text] of [
      [before, `a ${one.hash}\n`],
      [after, `b ${two.hash}\n`],
    ] as const) {
      mkdirSync(where);
      writeFileSync(path.join(where, 'keys'), text);
    }
    symlinkSync('..data_1', path.join(folder, '..data'));
    symlinkSync('..data/keys', file);
    const keys = open();
    expect(nameOf(keys, one.key)).toBe('a');

    symlinkSync('..data_2', path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    await vi.waitFor(() => expect(nameOf(keys, two.key)).toBe('b'));
    expect(nameOf(keys, one.key)).toBeUndefined();
    expect(log.at(-1)).toMatchObject({ level: 'info', keys: 1, msg: 'API keys have changed' });
  });

  it('keeps the object, and says nothing, while it does not', async () => {
    writeFileSync(file, `a ${one.hash}\n`);
    const keys = open();
    const { keys: before } = keys;
    writeFileSync(file, `a ${one.hash}\n`);
    await someLooks();
    expect(keys.keys).toBe(before);
    expect(log).toHaveLength(1);
  });

  it('lets nobody in any more when no key is left, and warns', async () => {
    writeFileSync(file, `a ${one.hash}\n`);
    const keys = open();
    writeFileSync(file, '# none\n');
    await vi.waitFor(() => expect(keys.keys.size).toBe(0));
    expect(log.at(-1)).toMatchObject({ level: 'warn', keys: 0 });
  });

  it('keeps the old keys when the new content is bad, says so once for each, and recovers', async () => {
    writeFileSync(file, `a ${one.hash}\n`);
    const keys = open();
    writeFileSync(file, 'nonsense\n');
    await vi.waitFor(() => expect(errors()).toHaveLength(1));
    await someLooks();
    expect(errors()).toMatchObject([{ path: file, reason: expect.stringMatching(/^line 1: write NAME/) }]);
    expect(nameOf(keys, one.key)).toBe('a');

    writeFileSync(file, `a ${one.hash}\nb ${two.key}\n`);
    await vi.waitFor(() => expect(errors()).toHaveLength(2));
    rmSync(file);
    await vi.waitFor(() => expect(errors()).toHaveLength(3));
    await someLooks();
    expect(errors()).toHaveLength(3);
    expect(errors()[2]).toMatchObject({ reason: 'it cannot be read (ENOENT)' });

    writeFileSync(file, `b ${two.hash}\n`);
    await vi.waitFor(() => expect(nameOf(keys, two.key)).toBe('b'));
    const secrets = [one, two].flatMap(({ key, hash }) => [key, hash.slice('sha256:'.length)]);
    for (const secret of secrets) expect(JSON.stringify(log)).not.toContain(secret);
  });

  it('does not take a file for whole that is being written', async () => {
    writeFileSync(file, `a ${one.hash}\nb ${two.hash}\n`);
    const keys = open();
    writeFileSync(file, `a ${one.hash}\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(file, `a ${one.hash}\nb ${two.hash}\n`);
    await someLooks();
    expect(log).toHaveLength(1);
    expect(nameOf(keys, two.key)).toBe('b');
  });

  it('looks no more once stopped', async () => {
    writeFileSync(file, `a ${one.hash}\n`);
    const keys = open();
    keys.stop();
    writeFileSync(file, `b ${two.hash}\n`);
    await someLooks();
    expect(nameOf(keys, one.key)).toBe('a');
  });
});
