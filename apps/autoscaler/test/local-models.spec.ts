/** `npm start` with models that are named: pulled and built once, before the first pod, from nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HubServer } from '../../../packages/model-builder/test/hub-server.ts';
import { EMBEDDER, GENERATOR, hubEnvironment, startModelHub } from '../../../test/support/model-hub.ts';
import { LocalProcess } from './local-process.ts';

let hub: HubServer;
let home: string;
beforeEach(async () => {
  hub = await startModelHub();
  home = mkdtempSync(path.join(tmpdir(), 'ragscale-local-'));
});
afterEach(async () => {
  await hub.stop();
  rmSync(home, { recursive: true });
});

it('pulls, builds once and serves', async () => {
  await using system = new LocalProcess({ ...hubEnvironment(hub, home), LOG_LEVEL: 'warn' });
  const answer = await fetch(`${await system.url()}/rag`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // The model is small, and so is what it can read and write.
    body: JSON.stringify({ query: 'Who hovers?', k: 1, max_tokens: 4 }),
  });
  expect([answer.status, await answer.json()]).toMatchObject([200, { result: expect.any(String) }]);
  const built = system.lines.filter(({ msg }) => msg === 'building the model').map(({ model }) => model);
  expect(built).toEqual([EMBEDDER, GENERATOR]);
  // Before any pod: those find all that they need.
  const firstOf = (wanted: string) => system.lines.findIndex(({ msg }) => msg === wanted);
  expect(firstOf('building the model')).toBeLessThan(firstOf('starting'));
  const models = (await (await fetch(`${await system.url()}/v1/models`)).json()) as { data: { id: string }[] };
  expect(models.data.map(({ id }) => id)).toContain(GENERATOR);
});

it('does not start without a model, and says why in one line', async () => {
  await using system = new LocalProcess({ ...hubEnvironment(hub, home), HF_HUB_OFFLINE: '1' });
  expect(await system.ended).toBe(1);
  expect(system.errors.trim()).toMatch(/^the hub is not to be asked \(offline\)/);
  expect(system.errors.trim()).not.toContain('\n');
  expect(system.pids('pod')).toEqual([]);
});
