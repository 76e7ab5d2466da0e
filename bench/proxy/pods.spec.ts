import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanUp } from './child.ts';
import { Client } from './client.ts';
import { Pods } from './pods.ts';

let pods: Pods;
const client = new Client();
const ask = (more: object = {}) => client.ask(pods.urls[0]!, { query: 'Well?', ...more }, { timeoutMs: 5000 });

beforeAll(async () => {
  pods = await Pods.start(1, { slots: 1, queue: 1, drainDelayMs: 200 });
});
afterAll(async () => {
  client.close();
  await pods.stop();
  cleanUp();
});

test('a slot answers, a queue waits, and more is refused', async () => {
  const outcomes = await Promise.all([1, 2, 3].map(() => ask({ service_ms: 100 })));
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual([200, 200, 429]);
  const times = outcomes.filter(({ status }) => status === 200).map(({ sentAt, doneAt }) => doneAt - sentAt);
  expect(Math.max(...times)).toBeGreaterThan(190);
});

test('every answer tells the slots', async () => {
  const response = await fetch(`${pods.urls[0]}/readyz`);
  expect([response.status, response.headers.get('x-ragscale-slots')]).toEqual([200, '1']);
});

test('it fails and is slow when told to', async () => {
  await pods.control(0, { failing: true });
  expect(await ask()).toMatchObject({ ending: 'status', status: 500 });
  await pods.control(0, { failing: false, slowdown: 10 });
  const { ending, sentAt, doneAt } = await ask({ service_ms: 20 });
  expect(ending).toBe('answered');
  expect(doneAt - sentAt).toBeGreaterThan(190);
  await pods.control(0, { slowdown: 1 });
});

test('one that is asked to leave is not ready, finishes its streams, and goes', async () => {
  const stream = ask({ stream: true, tokens: 100, token_ms: 20 });
  await sleep(50);
  const gone = pods.drain(0);
  await expect.poll(async () => (await fetch(`${pods.urls[0]}/readyz`)).status).toBe(503);
  expect((await stream).ending).toBe('answered');
  await gone;
  expect((await ask()).ending).toBe('reset');
});

test('one that was killed comes back on its port', async () => {
  await pods.restart(0);
  await pods.kill(0);
  expect((await ask()).ending).toBe('reset');
  await pods.restart(0);
  expect((await ask()).ending).toBe('answered');
});
