/** What does a pull do, and say, when the hub, the token, the disk or the network are not as they should be? */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fault } from './faulty-file.ts';
import { HubServer, sha256 } from './hub-server.ts';
import { Hub, json, MODEL, NAME, SMALL_FILES, WANTED, WEIGHTS } from './pulling.ts';

const hub = new Hub();

describe('the token', () => {
  it('goes to the hub with every request, and nowhere else', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.wantsToken = 'hf_secret';
    await hub.pull({ settings: hub.settings({ HF_TOKEN: ' hf_secret\n' }) });
    const at = (host: string) => [
      ...new Set(hub.server.log.filter((one) => one.host === host).map((one) => one.authorization)),
    ];
    expect(at('hub')).toEqual(['Bearer hf_secret']);
    expect(at('storage')).toEqual([undefined]);
  });

  it('is read from the file that `hf auth login` writes', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.wantsToken = 'hf_filed';
    writeFileSync(path.join(hub.home, 'token'), 'hf_filed\n');
    await hub.pull();
    expect(hub.server.log[0]?.authorization).toBe('Bearer hf_filed');
  });

  it('is not sent where HF_HUB_DISABLE_IMPLICIT_TOKEN forbids it', async () => {
    hub.server.add(NAME, MODEL, 'main');
    await hub.pull({ settings: hub.settings({ HF_TOKEN: 'hf_secret', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }) });
    expect(hub.server.log.map(({ authorization }) => authorization)).toEqual(hub.server.log.map(() => undefined));
  });
});

describe('a busy or failing hub', () => {
  it('is left alone for as long as it asks', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.apiFaults.push({ status: 429, headers: { 'retry-after': '7' } });
    hub.server.faults.set('model.safetensors', [{ status: 429, headers: { 'retry-after': '11' } }, { status: 503 }]);
    await hub.pull();
    expect(hub.waits).toEqual(expect.arrayContaining([7000, 11_000]));
    expect(hub.waits).toHaveLength(3);
  });

  it.each([
    [
      429,
      'rate-limited',
      /^org\/model: http:.* has had too many requests; it asks to wait 2 s$/,
      { 'retry-after': '2' },
    ],
    [500, 'server', /^org\/model: http:.* fails \(500\)$/, {}],
  ] as const)('with %i is given up after five attempts', async (status, code, message, headers) => {
    hub.server.add(NAME, MODEL, 'main');
    for (let i = 0; i < 9; i++) hub.server.apiFaults.push({ status, headers });
    const error = await hub.failure();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(hub.server.log).toHaveLength(5);
  });

  it('that asks to wait for an hour is not waited for', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.apiFaults.push({ status: 429, headers: { 'retry-after': '3600' } });
    expect((await hub.failure()).message).toContain('it asks to wait 3600 s');
    expect(hub.waits).toEqual([]);
  });

  it('that falls silent is a timeout, in words, and the next pull goes on', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.faults.set('model.safetensors', Array<Fault>(9).fill({ stallAfter: 0 }));
    const settings = { ...hub.settings(), idleTimeoutMs: 200 };
    const error = await hub.failure({ settings });
    expect(error.code).toBe('timeout');
    expect(error.message).toMatch(/^org\/model: model\.safetensors: 127\.0\.0\.1:\d+ gave nothing for 0\.2 s$/);
    hub.server.faults.clear();
    await hub.pull();
  });

  it('that falls silent now and then only costs attempts: each goes on from the last', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.faults.set('model.safetensors', [{ stallAfter: 1_000_000 }, { stallAfter: 1_000_000 }]);
    const { folder } = await hub.pull({ settings: { ...hub.settings(), idleTimeoutMs: 500 } });
    expect(readFileSync(path.join(folder, 'model.safetensors')).equals(WEIGHTS)).toBe(true);
    const starts = hub.server
      .requestsFor('model.safetensors')
      .filter(({ host }) => host === 'storage')
      .map(({ range }) => Number(/\d+/.exec(range ?? '0')));
    expect(starts.length).toBeGreaterThanOrEqual(3);
    expect(starts).toEqual([...new Set(starts)].toSorted((a, b) => a - b));
  });

  it('that cannot be reached says so', async () => {
    const settings = hub.settings();
    await hub.server.stop();
    const error = await hub.failure({ settings });
    expect(error.code).toBe('unreachable');
    expect(error.message).toMatch(/^org\/model: http:\/\/127.* cannot be reached \(ECONNREFUSED\)$/);
    expect(hub.waits).toHaveLength(4);
    hub.server = await HubServer.start();
  });

  it('that is none says so', async () => {
    hub.server.add(NAME, { ...MODEL, 'config.json': MODEL['config.json'] }, 'main');
    const error = await hub.failure({
      settings: hub.settings({
        HF_ENDPOINT: `${hub.server.endpoint}/${NAME}/resolve/${hub.server.add(NAME, MODEL)}/README.md#`,
      }),
    });
    expect(error.code).toBe('protocol');
  });
});

describe('a refusal', () => {
  it.each([
    [
      'gated',
      { status: 401, code: 'GatedRepo' },
      {},
      'gated',
      /^org\/model is gated: accept its terms at http:.*\/org\/model and set HF_TOKEN/,
    ],
    [
      'gated, with a token',
      { status: 403, code: 'GatedRepo' },
      { HF_TOKEN: 'x' },
      'gated',
      /with the account of the token in HF_TOKEN$/,
    ],
    [
      'not found',
      { status: 401, code: 'RepoNotFound' },
      {},
      'not-found',
      /^org\/model is not at http.*, or it is private and wants a token in HF_TOKEN$/,
    ],
    [
      'not found, with a token',
      { status: 404, code: 'RepoNotFound' },
      { HF_TOKEN: 'x' },
      'not-found',
      /or the token of HF_TOKEN may not see it$/,
    ],
    [
      'wrong token',
      { status: 401, message: 'Invalid credentials in Authorization header' },
      { HF_TOKEN: 'x' },
      'unauthorized',
      /does not accept the token of HF_TOKEN \(401, Invalid credentials/,
    ],
    [
      'forbidden',
      { status: 403, message: 'Access to this resource is disabled.' },
      {},
      'forbidden',
      /does not allow it \(403, Access to this resource is disabled/,
    ],
    ['odd', { status: 418 }, {}, 'protocol', /answered 418$/],
  ] as const)('that means %s says so, and is not asked for again', async (_, refusal, environment, code, message) => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.refusal = refusal;
    const error = await hub.failure({ settings: hub.settings(environment) });
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(hub.server.log).toHaveLength(1);
  });

  it('of an unknown model, revision or name says which', async () => {
    hub.server.add(NAME, MODEL, 'main');
    expect((await hub.failure({ model: 'org/other' })).code).toBe('not-found');
    expect((await hub.failure({ model: `${NAME}@v9` })).message).toBe('org/model has no revision v9');
    for (const model of ['', 'a/b/c', '../x', 'org/..', 'a/b@', 'a/b@../c', 'a/b@-x', 'org/model.git', 'a b/c']) {
      expect((await hub.failure({ model })).code, model).toBe('bad-name');
    }
  });

  it.each([
    ['no config.json', { 'model.safetensors': MODEL['model.safetensors'] }],
    [
      'no weights as safetensors or PyTorch files',
      { 'config.json': MODEL['config.json'], 'tf_model.h5': MODEL['flax_model.msgpack'] },
    ],
    [
      'a model.safetensors.index.json without a weight_map',
      { ...SMALL_FILES, 'model.safetensors.index.json': json({}) },
    ],
    [
      'no ../../x, which model.safetensors.index.json names',
      { ...SMALL_FILES, 'model.safetensors.index.json': json({ weight_map: { a: '../../x' } }) },
    ],
  ])('of a model with %s', async (what, files) => {
    hub.server.add(NAME, files, 'main');
    expect(await hub.failure()).toMatchObject({ code: 'no-weights', message: expect.stringContaining(what) });
  });
});

describe('the disk', () => {
  it('that is too small is noticed before anything is fetched', async () => {
    hub.server.add(NAME, MODEL, 'main');
    hub.server.claimedBytes.set('model.safetensors', 9e15);
    const message = /^org\/model needs 9000000\.00 GB more in .*, and [\d.]+ GB are free$/;
    expect(await hub.failure()).toMatchObject({ code: 'disk-full', message: expect.stringMatching(message) });
    expect(hub.server.sentBytes).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')('that fills up on the way says so (needs /dev/full)', async () => {
    hub.server.add(NAME, MODEL, 'main');
    const folder = hub.cached('blobs');
    mkdirSync(folder, { recursive: true });
    symlinkSync('/dev/full', path.join(folder, `${sha256(WEIGHTS)}.incomplete`));
    expect(await hub.failure()).toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('no space is left in'),
    });
  });

  it('whose cache cannot be a folder says so', async () => {
    hub.server.add(NAME, MODEL, 'main');
    writeFileSync(path.join(hub.home, 'hub'), 'in the way');
    expect(await hub.failure()).toMatchObject({ code: 'cache' });
  });
});

describe('offline', () => {
  it('takes what is here without a request, by branch and by commit', async () => {
    const commit = hub.server.add(NAME, MODEL, 'main');
    await hub.pull();
    hub.server.forget();
    const settings = hub.settings({ HF_HUB_OFFLINE: '1' });
    expect((await hub.pull({ settings })).commit).toBe(commit);
    expect((await hub.pull({ settings, model: `${NAME}@${commit}` })).files).toHaveLength(WANTED.length);
    expect(hub.server.log).toEqual([]);
  });

  it('names what is missing', async () => {
    const settings = hub.settings({ HF_HUB_OFFLINE: 'yes' });
    expect((await hub.failure({ settings })).message).toMatch(/offline\), and .* has nothing of org\/model@main$/);
    hub.server.add(NAME, MODEL, 'main');
    const { folder } = await hub.pull();
    rmSync(path.join(folder, 'model.safetensors'));
    expect((await hub.failure({ settings })).message).toContain('lacks the weights of org/model@main');
    expect(hub.server.requestsFor('model.safetensors')).toHaveLength(2);
  });
});
