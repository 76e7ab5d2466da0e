/** Is there one at a time under a lock, and does work go on where there are no locks? */
import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { withLock } from './file-lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.doUnmock('koffi');
  vi.resetModules();
});

/** Turns of the event loop instead of time. */
const sleep = () => new Promise<void>((done) => setImmediate(done));

it('lets one after the other do its work, alone', async () => {
  const file = path.join(folder, 'a/one.lock');
  let [underWay, most, alone] = [0, 0, 0];
  const work = async (isAlone: boolean) => {
    most = Math.max(most, ++underWay);
    alone += isAlone ? 1 : 0;
    for (let i = 0; i < 20; i++) await sleep();
    underWay--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(file, work, { sleep })));
  expect({ most, alone }).toEqual({ most: 1, alone: 5 });
});

it('gives the lock back when the work fails', async () => {
  const file = path.join(folder, 'failing.lock');
  const failing = withLock(file, () => Promise.reject(new Error('no')), { sleep });
  await expect(failing).rejects.toThrow('no');
  expect(await withLock(file, async (alone) => alone, { sleep })).toBe(true);
});

it('is not content with the lock on a file that another has removed', async () => {
  const file = path.join(folder, 'removed.lock');
  let release = () => {};
  const held = withLock(file, () => new Promise<void>((done) => (release = done)), { sleep });
  let tries = 0;
  const waiting = withLock(file, async () => tries, {
    sleep: async () => {
      // As Python does it: removed, and only then released.
      if (++tries === 3) {
        unlinkSync(file);
        release();
        await held;
      }
      await sleep();
    },
  });
  expect(await waiting).toBeGreaterThanOrEqual(3);
});

it('ends the wait of who gives up', async () => {
  const file = path.join(folder, 'given-up.lock');
  const stop = new AbortController();
  const inner = withLock(
    file,
    () =>
      withLock(file, async () => 'never', { sleep: async () => stop.abort(new Error('enough')), signal: stop.signal }),
    { sleep },
  );
  await expect(inner).rejects.toThrow('enough');
});

it('says that it is not alone where flock cannot be called', async () => {
  vi.doMock('koffi', () => ({
    default: {
      load: () => {
        throw new Error('no such library');
      },
    },
  }));
  vi.resetModules();
  const { withLock: without } = await import('./file-lock.ts');
  expect(await without(path.join(folder, 'none.lock'), async (alone) => alone, { sleep })).toBe(false);
});
