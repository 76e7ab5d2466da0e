import { afterEach, expect, it, vi } from 'vitest';
import { openRuntime } from './open-runtime.ts';

afterEach(() => {
  vi.doUnmock('koffi');
  vi.resetModules();
});

it('takes the C API where it opens, and the ordinary binding where that is asked for', async () => {
  expect((await openRuntime('auto')).runtime.name).toBe('c-api');
  expect(await openRuntime('node-api')).toMatchObject({ runtime: { name: 'node-api' } });
});

it('falls back with the reason where koffi or the library does not open, but not where the C API was asked for', async () => {
  vi.doMock('koffi', () => ({
    default: {
      load: () => {
        throw new Error('no such library');
      },
    },
  }));
  const fallen = await openRuntime('auto');
  expect(fallen.runtime.name).toBe('node-api');
  expect(fallen.fallbackReason).toContain('no such library');
  await expect(openRuntime('c-api')).rejects.toThrow('no such library');
});
