/** Pods whose models are named: pulled from a hub and built, by real processes, from nothing. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PINNED_REVISIONS } from '@ragscale/model-builder/hub/pinned-revisions';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HubServer } from '../../../packages/model-builder/test/hub-server.ts';
import { EMBEDDER, GENERATOR, hubEnvironment, startModelHub } from '../../../test/support/model-hub.ts';
import { runToEnd, startProcess } from '../../../test/support/pod-process.ts';

let hub: HubServer;
let home: string;
beforeEach(async () => {
  hub = await startModelHub();
  home = mkdtempSync(path.join(tmpdir(), 'ragscale-named-'));
});
afterEach(async () => {
  await hub.stop();
  rmSync(home, { recursive: true });
});

const SHIPPED = 'sentence-transformers/all-MiniLM-L6-v2';
const QUERY = { query: 'Which bird hovers?', k: 1, max_tokens: 4 };

function builtIn(name: string): string {
  return path.join(home, 'cache/models', name.replace('/', '--'), PINNED_REVISIONS[name] ?? '');
}

const timesBuilt = (logs: readonly Record<string, unknown>[]) =>
  logs.filter(({ msg }) => msg === 'building the model').map(({ model }) => model);

describe('a pod', () => {
  it('pulls and builds what is named, lives meanwhile, and answers', async () => {
    let lives: Promise<Response> | undefined;
    const ports: number[] = [];
    const pod = await startProcess({
      env: hubEnvironment(hub, home),
      onLine: ({ port, msg }) => {
        if (typeof port === 'number') ports.push(port);
        if (msg === 'building the model') lives ??= fetch(`http://127.0.0.1:${ports[0]}/livez`);
      },
    });
    try {
      expect((await lives)?.status).toBe(200);
      expect(timesBuilt(pod.log)).toEqual(expect.arrayContaining([EMBEDDER, GENERATOR]));
      expect(pod.log.find(({ msg }) => msg === 'pulling the model')).toMatchObject({ totalBytes: expect.any(Number) });
      const models = (await (await fetch(`${pod.url}/v1/models`)).json()) as { data: { id: string }[] };
      expect(models.data.map(({ id }) => id)).toEqual(expect.arrayContaining([EMBEDDER, GENERATOR]));
      expect((await pod.post(QUERY)).status).toBe(200);
      expect(readdirSync(builtIn(GENERATOR)).toSorted()).toEqual(['fp32', 'fp32.lock']);
    } finally {
      expect(await pod.stop()).toBe(0);
    }
  });

  it('asks the hub for nothing where all is built', async () => {
    const first = await startProcess({ env: hubEnvironment(hub, home) });
    await first.stop();
    hub.forget();
    const second = await startProcess({ env: hubEnvironment(hub, home) });
    try {
      expect(hub.log).toEqual([]);
      expect(timesBuilt(second.log)).toEqual([]);
      expect((await second.post(QUERY)).status).toBe(200);
    } finally {
      await second.stop();
    }
  });

  it('builds in w8a8 unless told otherwise, and takes what ships with the repository as it is', async () => {
    const pod = await startProcess({ env: { ...hubEnvironment(hub, home), RAG_EMBEDDER: SHIPPED, RAG_PRECISION: '' } });
    try {
      expect(timesBuilt(pod.log)).toEqual([GENERATOR]);
      expect(readdirSync(builtIn(GENERATOR))).toContain('w8a8');
      expect((await pod.post(QUERY)).status).toBe(200);
    } finally {
      await pod.stop();
    }
  });

  it('that is told to end while it pulls ends at once', async () => {
    hub.onFile = () => new Promise(() => undefined);
    const starting = startProcess({
      env: hubEnvironment(hub, home),
      onLine: ({ msg }, child) => {
        if (msg === 'listening') void pulls().then(() => child.kill('SIGTERM'));
      },
    });
    const pulls = async (): Promise<void> => {
      while (hub.log.every(({ url }) => !url.includes('/resolve/')))
        await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await expect(starting).rejects.toThrow(/^the pod ended with 0 before it was ready/);
  });

  it('says what is missing where the hub is not to be asked', async () => {
    const { code, errors } = await runToEnd({ ...hubEnvironment(hub, home), HF_HUB_OFFLINE: '1' });
    expect(code).toBe(1);
    expect(errors.trim()).toMatch(/^the hub is not to be asked \(offline\), and .* lacks all files of intfloat/);
    expect(errors.trim()).not.toContain('\n');
  });

  it('says in one line what is wrong with a checkpoint', async () => {
    hub.addAt(PINNED_REVISIONS[GENERATOR] ?? '', GENERATOR, {
      'config.json': { content: Buffer.from('{"model_type": "opt"}') },
      'tokenizer.json': { content: Buffer.from('{}') },
      'tokenizer_config.json': { content: Buffer.from('{}') },
      'model.safetensors': { content: Buffer.from('nothing'), lfs: true },
    });
    const { code, errors } = await runToEnd({ ...hubEnvironment(hub, home), RAG_EMBEDDER: 'embedded' });
    expect(code).toBe(1);
    expect(errors.trim()).toMatch(/model\.safetensors is cut short: 7 bytes/);
    expect(errors.trim()).not.toContain('\n');
    expect(existsSync(builtIn(GENERATOR)) ? readdirSync(builtIn(GENERATOR)) : []).not.toContain('fp32');
  });
});

describe('several pods that start at once', () => {
  it('build each model once, and all answer', async () => {
    const env = hubEnvironment(hub, home);
    const pods = await Promise.all([1, 2, 3].map(() => startProcess({ env })));
    try {
      const built = timesBuilt(pods.flatMap(({ log }) => log));
      expect(built.filter((name) => name === EMBEDDER)).toHaveLength(1);
      expect(built.filter((name) => name === GENERATOR)).toHaveLength(1);
      for (const pod of pods) expect((await pod.post(QUERY)).status).toBe(200);
    } finally {
      for (const pod of pods) await pod.stop();
    }
  });

  it('take away what a build that was killed has left', async () => {
    const leftover = path.join(builtIn(GENERATOR), 'fp32.building-abc123');
    mkdirSync(leftover, { recursive: true });
    writeFileSync(path.join(leftover, 'model.onnx'), 'half');
    const pod = await startProcess({ env: hubEnvironment(hub, home) });
    await pod.stop();
    expect(readdirSync(builtIn(GENERATOR)).toSorted()).toEqual(['fp32', 'fp32.lock']);
  });
});
