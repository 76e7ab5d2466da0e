/** Does a pull bring what a build needs, verified and whole, wherever it is interrupted, and fetch no more than it must? */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from './faulty-file.ts';
import { bytesOf, gitSha1, sha256 } from './hub-server.ts';
import { Hub, json, MODEL, NAME, SMALL_FILES, WANTED, WEIGHTS } from './pulling.ts';

/** What may be on its way between server and disk when a connection breaks. */
const IN_FLIGHT_BYTES = 300_000;

const hub = new Hub();

describe('a pull', () => {
  it('lays down what a build reads, in the layout of the hub, and nothing else', async () => {
    const commit = hub.server.add(NAME, MODEL, 'main');
    const pulled = await hub.pull();
    expect(pulled).toMatchObject({ name: NAME, revision: 'main', commit, folder: hub.cached('snapshots', commit) });
    expect(pulled.files.map((file) => file.path).toSorted()).toEqual(WANTED);
    expect(readFileSync(path.join(pulled.folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(readlinkSync(path.join(pulled.folder, 'model.safetensors'))).toBe(path.join('../../blobs', sha256(WEIGHTS)));
    expect(readlinkSync(path.join(pulled.folder, '1_Pooling/config.json'))).toBe(
      path.join('../../../blobs', gitSha1(MODEL['1_Pooling/config.json'].content)),
    );
    expect(readFileSync(hub.cached('refs/main'), 'utf8')).toBe(commit);
    expect(hub.blobs()).toHaveLength(WANTED.length);
    expect(hub.server.sentBytes).toBe(pulled.files.reduce((sum, { bytes }) => sum + bytes, 0));
  });

  it('asks nothing for a commit that is here, and once for a branch', async () => {
    const commit = hub.server.add(NAME, MODEL, 'main');
    await hub.pull();
    hub.server.forget();
    const again = await hub.pull({ model: `${NAME}@${commit}` });
    expect(hub.server.log).toEqual([]);
    expect(again.files.map(({ fetchedBytes }) => fetchedBytes)).toEqual([0, 0, 0, 0]);
    await hub.pull();
    expect(hub.server.log.map(({ url }) => url)).toEqual([
      `/api/models/${NAME}/revision/main`,
      `/api/models/${NAME}/tree/${commit}?recursive=true`,
    ]);
  });

  it('follows a branch to its next commit and fetches what changed', async () => {
    hub.server.add(NAME, MODEL, 'main');
    await hub.pull();
    hub.server.forget();
    const changed = { ...MODEL, 'config.json': json({ model_type: 'opt', changed: true }) };
    const next = hub.server.add(NAME, changed, 'main');
    expect(await hub.pull()).toMatchObject({ commit: next });
    expect(hub.server.sentBytes).toBe(changed['config.json'].content.length);
  });

  it('takes the shards that the index names, page by page of a long list', async () => {
    const shards = {
      'model-00001-of-00002.safetensors': { content: bytesOf(5000, 2), lfs: true },
      'model-00002-of-00002.safetensors': { content: bytesOf(6000, 3), lfs: true },
    };
    const weight_map = {
      a: 'model-00001-of-00002.safetensors',
      b: 'model-00002-of-00002.safetensors',
      c: 'model-00001-of-00002.safetensors',
    };
    hub.server.add(
      NAME,
      {
        ...SMALL_FILES,
        ...shards,
        'model.safetensors.index.json': json({ weight_map }),
        'consolidated.safetensors': { content: bytesOf(9), lfs: true },
      },
      'main',
    );
    hub.server.pageSize = 2;
    const { files } = await hub.pull();
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining([...Object.keys(shards), 'model.safetensors.index.json']),
    );
    expect(files.map((file) => file.path)).not.toContain('consolidated.safetensors');
    expect(hub.server.log.filter(({ url }) => url.includes('/tree/'))).toHaveLength(5);
  });

  it('takes pytorch_model.bin where there are no safetensors', async () => {
    hub.server.add(NAME, { ...SMALL_FILES, 'pytorch_model.bin': { content: bytesOf(77), lfs: true } }, 'main');
    expect((await hub.pull()).files.map((file) => file.path)).toContain('pytorch_model.bin');
  });

  it('reports progress up to the MODEL of every file', async () => {
    hub.server.add(NAME, MODEL, 'main');
    const last = new Map<string, number>();
    let reports = 0;
    await hub.pull({
      onProgress: (file, done, total) => {
        reports++;
        expect(done).toBeLessThanOrEqual(total);
        last.set(file, done);
      },
    });
    expect(last.get('model.safetensors')).toBe(WEIGHTS.length);
    expect(reports).toBeGreaterThan(WANTED.length * 2);
  });

  it('has several files under way at once', async () => {
    hub.server.add(NAME, MODEL, 'main');
    let [underWay, most] = [0, 0];
    hub.server.onFile = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((done) => setTimeout(done, 50));
      underWay--;
    };
    await hub.pull();
    expect(most).toBeGreaterThan(1);
  });
});

describe('what an interruption costs', () => {
  it('is at most what was on its way, wherever it comes', async () => {
    hub.server.add(NAME, MODEL, 'main');
    const cuts = fc.array(fc.integer({ min: 0, max: WEIGHTS.length }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, async (lengths) => {
        rmSync(path.join(hub.home, 'hub'), { recursive: true, force: true });
        hub.server.forget();
        hub.server.faults.set(
          'model.safetensors',
          lengths.map((cutAfter) => ({ cutAfter })),
        );
        const { folder } = await hub.pull();
        expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
        const others = WANTED.slice(0, 2)
          .concat('tokenizer.json')
          .reduce((sum, name) => sum + MODEL[name as 'config.json'].content.length, 0);
        const breaks = hub.server.log.filter(({ host }) => host === 'storage').length - 1;
        expect(hub.server.sentBytes - others).toBeLessThanOrEqual(WEIGHTS.length + breaks * IN_FLIGHT_BYTES);
        // Every attempt goes to the hub for a fresh address, and none begins anew unless nothing had arrived.
        expect(hub.server.requestsFor('model.safetensors').filter(({ host }) => host === 'hub')).toHaveLength(
          breaks + 1,
        );
      }),
      { numRuns: 15 },
    );
  });

  it('is nothing that has arrived, when the process gave up and another pulls again', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.faults.set('model.safetensors', [
      { cutAfter: 2_000_000 },
      ...Array.from({ length: 4 }, () => ({ cutAfter: 0 })),
    ]);
    expect(await hub.failure()).toMatchObject({ code: 'unreachable' });
    const have = lstatSync(hub.cached('blobs', `${sha256(WEIGHTS)}.incomplete`)).size;
    expect(have).toBeGreaterThan(2_000_000 - IN_FLIGHT_BYTES);
    expect(readdirSync(hub.cached())).not.toContain('snapshots');
    hub.server.forget();
    const { files } = await hub.pull();
    expect(hub.server.requestsFor('model.safetensors').map(({ range }) => range)).toEqual([
      `bytes=${have}-`,
      `bytes=${have}-`,
    ]);
    expect(files.find((file) => file.path === 'model.safetensors')?.fetchedBytes).toBe(WEIGHTS.length - have);
    expect(hub.blobs().filter((name) => name.includes('incomplete'))).toEqual([]);
  });

  it.each<[string, Fault[], number]>([
    ['the range is ignored: the MODEL file comes', [{ cutAfter: 1_000_000 }, 'ignore-range'], 2],
    ['another range comes than was asked for: the file is begun again', [{ cutAfter: 1_000_000 }, 'wrong-range'], 3],
    ['more comes than the file has', [{ extra: 10 }], 2],
  ])('when %s', async (_, faults, attempts) => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.faults.set('model.safetensors', faults);
    const { folder } = await hub.pull();
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    expect(hub.server.requestsFor('model.safetensors').filter(({ host }) => host === 'storage')).toHaveLength(attempts);
  });

  it('when what an earlier process left is longer than the file, or wrong', async () => {
    hub.server.add(NAME, MODEL, 'main');
    const folder = hub.cached('blobs');
    mkdirSync(folder, { recursive: true });
    for (const left of [bytesOf(WEIGHTS.length + 5), bytesOf(1000, 9), bytesOf(WEIGHTS.length, 9)]) {
      rmSync(path.join(folder, sha256(WEIGHTS)), { force: true });
      rmSync(hub.cached('snapshots'), { recursive: true, force: true });
      writeFileSync(path.join(folder, `${sha256(WEIGHTS)}.incomplete`), left);
      const pulled = await hub.pull();
      expect(readFileSync(path.join(pulled.folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    }
  });
});

describe('a wrong byte', () => {
  it.each(['model.safetensors', 'tokenizer.json'] as const)(
    'in %s is noticed, and the file fetched once more',
    async (file) => {
      hub.server.add(NAME, MODEL, 'main');
      hub.server.faults.set(file, [{ flipAt: 5 }]);
      const { folder } = await hub.pull();
      expect(readFileSync(path.join(folder, file)).equals(MODEL[file].content)).toBe(true);
      expect(hub.server.requestsFor(file).filter(({ url }) => url.includes('/resolve/'))).toHaveLength(2);
    },
  );

  it('that comes again is an error, and nothing of it stays', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.faults.set('model.safetensors', [{ flipAt: 5 }, { flipAt: 6 }]);
    const error = await hub.failure();
    expect(error.code).toBe('checksum');
    expect(error.message).toMatch(
      /^org\/model: model\.safetensors arrived 2 times with another checksum than the hub's \([0-9a-f]{64} instead of [0-9a-f]{64}\)$/,
    );
    expect(hub.blobs()).not.toContain(sha256(WEIGHTS));
    hub.server.forget();
    await hub.pull();
    expect(hub.server.sentBytes).toBeGreaterThanOrEqual(WEIGHTS.length);
  });
});
