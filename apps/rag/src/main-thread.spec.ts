import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Modules of the inference package that only send messages or declare types; all others belong to the engine thread. */
const MAIN_THREAD = new Set(['device', 'engine', 'engine-api', 'errors', 'manifest']);

describe('the main thread', () => {
  it('never computes: it takes of inference only what talks to the engine thread', () => {
    const folder = new URL('./', import.meta.url);
    const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    expect(sources).toContain('main.ts');
    for (const name of sources) {
      const imported = readFileSync(new URL(name, folder), 'utf8').matchAll(/from '@ragscale\/inference\/([\w-]+)'/g);
      for (const [, module = ''] of imported) expect(MAIN_THREAD.has(module), `${name} imports ${module}`).toBe(true);
    }
  });
});
