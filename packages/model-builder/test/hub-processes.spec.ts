/** Do several processes that pull the same into one cache fetch it once, and survive each other? */
import { spawn } from 'node:child_process';
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from './hub-server.ts';
import { Hub, MODEL, NAME, WEIGHTS } from './pulling.ts';

const hub = new Hub();

describe('several processes', () => {
  it('that pull the same at once fetch it once, and end with the same', async () => {
    hub.server.add(NAME, MODEL, 'main');
    const main = path.resolve(import.meta.dirname, '../../../apps/cli/src/main.ts');
    const environment = { ...process.env, HF_ENDPOINT: hub.server.endpoint, HF_HOME: hub.home };
    const one = () =>
      new Promise<{ status: number | null; out: string }>((done) => {
        const child = spawn(process.execPath, ['--conditions=source', main, 'models', 'pull', NAME, '--json'], {
          env: environment,
        });
        let out = '';
        child.stdout.on('data', (text) => (out += text));
        child.stderr.on('data', (text) => (out += text));
        child.on('close', (status) => done({ status, out }));
      });
    // Nobody gets the weights before both have asked for the list of files.
    hub.server.onFile = async (file) => {
      const asked = () => hub.server.log.filter(({ url }) => url.includes('/tree/')).length;
      while (file === 'model.safetensors' && asked() < 2) await new Promise((done) => setTimeout(done, 20));
    };
    const results = await Promise.all([one(), one()]);
    expect(
      results.map(({ status }) => status),
      JSON.stringify(results),
    ).toEqual([0, 0]);
    expect(hub.server.requestsFor('model.safetensors').filter(({ host }) => host === 'storage')).toHaveLength(1);
    const files = results.flatMap(({ out }) => JSON.parse(out).files as { path: string; fetchedBytes: number }[]);
    expect(files.reduce((sum, { fetchedBytes }) => sum + fetchedBytes, 0)).toBe(hub.server.sentBytes);
  });

  it('one of which is killed leaves its lock to the others', async () => {
    hub.server.add(NAME, MODEL, 'main');
    const main = path.resolve(import.meta.dirname, '../../../apps/cli/src/main.ts');
    hub.server.faults.set('model.safetensors', [{ stallAfter: 1_500_000 }]);
    const child = spawn(process.execPath, ['--conditions=source', main, 'models', 'pull', NAME], {
      env: { ...process.env, HF_ENDPOINT: hub.server.endpoint, HF_HOME: hub.home },
      stdio: 'ignore',
    });
    const partial = hub.cached('blobs', `${sha256(WEIGHTS)}.incomplete`);
    await expect.poll(() => lstatSync(partial, { throwIfNoEntry: false })?.size, { timeout: 30_000 }).toBe(1_500_000);
    const ended = new Promise((done) => child.on('close', done));
    child.kill('SIGKILL');
    await ended;
    const { files } = await hub.pull();
    expect(files.find((file) => file.path === 'model.safetensors')?.fetchedBytes).toBe(1_500_000);
  });
});
