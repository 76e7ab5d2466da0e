/** Which route does a request take, and which pod of it? */
import { describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

function arrivals(proxy: ProxyFixture, route: string): Promise<number | undefined> {
  return proxy.metric(`ragscale_proxy_arrivals_total{route="${route}"}`);
}

describe('two variants', () => {
  it('share the requests by their weights', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([], { BACKENDS: `batched*3=${one.url}; baseline=${two.url}` });
    const answers = await Promise.all(Array.from({ length: 400 }, () => proxy.post()));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(one.asked.length + two.asked.length).toBe(400);
    // 300 are expected, with a deviation of 9.
    expect(one.asked.length).toBeGreaterThan(240);
    expect(one.asked.length).toBeLessThan(360);
    expect(await arrivals(proxy, 'batched')).toBe(one.asked.length);
    expect(await arrivals(proxy, 'baseline')).toBe(two.asked.length);
  });

  it('are chosen by name, and the answer says which it was', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([], { BACKENDS: `a=${one.url}; b*0=${two.url}` });
    for (let round = 0; round < 3; round += 1) {
      const response = await proxy.post({}, { 'x-ragscale-variant': 'b' });
      expect(response.headers.get('x-ragscale-variant')).toBe('b');
    }
    for (let round = 0; round < 5; round += 1) {
      expect((await proxy.post()).headers.get('x-ragscale-variant')).toBe('a');
    }
    expect([one.asked.length, two.asked.length]).toEqual([5, 3]);
    expect(two.asked[0]!.headers['x-ragscale-variant']).toBeUndefined();
  });

  it('that do not exist are a 400 that names those that do', async () => {
    await using one = await FakePod.start();
    await using proxy = await startProxy([], { BACKENDS: `a=${one.url}; b=${one.url}` });
    const response = await proxy.post({}, { 'x-ragscale-variant': 'c' });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; param: string; message: string } };
    expect(error).toMatchObject({
      code: 'invalid_request',
      param: 'X-Ragscale-Variant',
      message: 'X-Ragscale-Variant: must be one of a, b',
    });
    expect(one.asked.length).toBe(0);
    expect(((await arrivals(proxy, 'a')) ?? 0) + ((await arrivals(proxy, 'b')) ?? 0)).toBe(1);
  });

  it('do not hold each other up: each has its own line, pods and health', async () => {
    await using full = await FakePod.start();
    await using free = await FakePod.start();
    await using proxy = await startProxy([], {
      BACKENDS: `full=${full.url}; free=${free.url}`,
      POD_CONCURRENCY: '1',
      MAX_QUEUED_REQUESTS: '1',
    });
    const held = new HeldAnswers();
    full.behaviour = held.behaviour;
    const toFull = (): Promise<Response> => proxy.post({}, { 'x-ragscale-variant': 'full' });
    const asked = [toFull(), toFull()];
    await until(async () => (await proxy.metric('ragscale_proxy_waiting{route="full"}')) === 1);
    expect((await toFull()).status).toBe(429);
    expect((await proxy.post({}, { 'x-ragscale-variant': 'free' })).status).toBe(200);
    expect(await proxy.metric('ragscale_proxy_requests_total{route="free",status="200"}')).toBe(1);
    expect(await proxy.metric('ragscale_proxy_requests_total{route="full",status="429"}')).toBe(1);
    expect(await proxy.metric('ragscale_proxy_in_flight{route="full"}')).toBe(1);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    await Promise.all(asked);
  });
});

describe('a sticky header', () => {
  it('brings a client to the same pod, and spreads the clients', async () => {
    const pods = [await FakePod.start(), await FakePod.start(), await FakePod.start()];
    await using _one = pods[0]!;
    await using _two = pods[1]!;
    await using _three = pods[2]!;
    await using proxy = await startProxy(pods, { STICKY_HEADER: 'X-Conversation' });
    for (let round = 0; round < 3; round += 1) {
      for (let user = 0; user < 30; user += 1)
        await proxy.post({ query: `u${user}` }, { 'x-conversation': `u${user}` });
    }
    const usersOf = pods.map(({ asked }) => new Set(asked.map(({ body }) => body)));
    expect(usersOf.reduce((sum, { size }) => sum + size, 0)).toBe(30);
    for (const { size } of usersOf) expect(size).toBeGreaterThan(0);
    expect(pods.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(90);
  });

  it('brings it to another where its own is full, and back', async () => {
    const pods = [await FakePod.start(), await FakePod.start()];
    await using _one = pods[0]!;
    await using _two = pods[1]!;
    await using proxy = await startProxy(pods, { STICKY_HEADER: 'X-Conversation', POD_CONCURRENCY: '1' });
    const post = (): Promise<Response> => proxy.post({}, { 'x-conversation': 'one' });
    await post();
    const own = pods.find(({ asked }) => asked.length === 1)!;
    const held = new HeldAnswers();
    own.behaviour = held.behaviour;
    const first = post();
    await until(() => held.waiting.length === 1);
    expect((await post()).status).toBe(200);
    expect(own.asked.length).toBe(2);
    held.release();
    await first;
    const third = post();
    await until(() => own.asked.length === 3);
    held.release();
    await third;
  });

  it('does not matter to those without it', async () => {
    const pods = [await FakePod.start(), await FakePod.start()];
    await using _one = pods[0]!;
    await using _two = pods[1]!;
    await using proxy = await startProxy(pods, { STICKY_HEADER: 'X-Conversation' });
    for (let round = 0; round < 4; round += 1) await proxy.post();
    expect(pods.map(({ asked }) => asked.length)).toEqual([2, 2]);
  });
});
