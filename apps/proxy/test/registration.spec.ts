/** Pods that announce themselves. */
import { describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

async function send(proxy: ProxyFixture, path: string, url: string): Promise<{ status: number; changed?: boolean }> {
  const response = await fetch(`${proxy.adminUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

describe('with REGISTRATION=on', () => {
  it('pods that register get requests, and those that unregister finish what they have', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([], { REGISTRATION: 'on' });
    expect(await send(proxy, '/register', one.url)).toMatchObject({ status: 200, changed: true });
    expect(await send(proxy, '/register', one.url)).toMatchObject({ status: 200, changed: false });
    expect((await proxy.post()).status).toBe(200);
    expect(await send(proxy, '/register', two.url)).toMatchObject({ status: 200, changed: true });
    await until(async () => Object.values(await proxy.states()).join() === 'healthy,healthy');
    for (let round = 0; round < 4; round += 1) await proxy.post();
    expect([one.asked.length, two.asked.length]).toEqual([3, 2]);
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    two.behaviour = held.behaviour;
    const asked = [proxy.post(), proxy.post()];
    await until(() => held.waiting.length === 2);
    expect(await send(proxy, '/unregister', one.url)).toMatchObject({ status: 200, changed: true });
    expect(Object.keys(await proxy.states())).toEqual([`127.0.0.1:${two.port}`]);
    held.release();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200]);
    two.behaviour = (_asked, response) => void response.end('{}');
    for (let round = 0; round < 4; round += 1) await proxy.post();
    expect([one.asked.length, two.asked.length]).toEqual([4, 7]);
  });

  it('a pod that unregisters while it has a request, and dies, costs nobody an answer', async () => {
    await using one = await FakePod.start();
    await using proxy = await startProxy([], { REGISTRATION: 'on' });
    await send(proxy, '/register', one.url);
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    const asked = proxy.post();
    await until(() => held.waiting.length === 1);
    await send(proxy, '/unregister', one.url);
    await one.kill();
    await using two = await FakePod.start();
    await send(proxy, '/register', two.url);
    expect((await asked).status).toBe(200);
    expect(two.asked.length).toBe(1);
  });

  it('a pod that is found again while it has requests gets no more than it can take', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([], { REGISTRATION: 'on', POD_CONCURRENCY: '2' });
    await send(proxy, '/register', pod.url);
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const asked = [proxy.post(), proxy.post()];
    await until(() => held.waiting.length === 2);
    for (let round = 0; round < 2; round += 1) {
      await send(proxy, '/unregister', pod.url);
      await send(proxy, '/register', pod.url);
      await until(async () => Object.values(await proxy.states()).join() === 'healthy');
    }
    asked.push(proxy.post(), proxy.post());
    await until(async () => (await proxy.metric('ragscale_proxy_waiting{route="default"}')) === 2);
    expect(held.waiting.length).toBe(2);
    held.release();
    await until(() => held.waiting.length === 2);
    held.release();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(pod.mostInFlight).toBe(2);
  });

  it('joins those that BACKENDS names', async () => {
    await using named = await FakePod.start();
    await using registered = await FakePod.start();
    await using proxy = await startProxy([named], { REGISTRATION: 'on' });
    await send(proxy, '/register', registered.url);
    await until(async () => Object.values(await proxy.states()).join() === 'healthy,healthy');
    for (let round = 0; round < 4; round += 1) await proxy.post();
    expect([named.asked.length, registered.asked.length]).toEqual([2, 2]);
  });

  it('says which pod would be next, and 503 where there is none', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([], { REGISTRATION: 'on' });
    expect((await fetch(`${proxy.adminUrl}/assign`)).status).toBe(503);
    await send(proxy, '/register', pod.url);
    await until(async () => Object.values(await proxy.states()).join() === 'healthy');
    expect(await (await fetch(`${proxy.adminUrl}/assign`)).json()).toEqual({ url: pod.url });
  });

  it('refuses what is no address of a pod', async () => {
    await using proxy = await startProxy([], { REGISTRATION: 'on' });
    for (const url of ['', 'ftp://a:1', 'http://user:secret@a:1', 'http://a:99999', 'dns://a:1']) {
      expect((await send(proxy, '/register', url)).status, url).toBe(400);
    }
    expect(await proxy.states()).toEqual({});
  });
});

describe('without REGISTRATION', () => {
  it('nobody registers', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    expect((await send(proxy, '/register', pod.url)).status).toBe(404);
    expect((await fetch(`${proxy.adminUrl}/assign`)).status).toBe(404);
    expect((await fetch(`${proxy.url}/register`, { method: 'POST' })).status).toBe(404);
  });
});
