/** What becomes of requests when no pod is able? */
import { describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { HeldAnswers, queryOf } from './held-answers.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

const WAITING = 'ragscale_proxy_waiting{route="default"}';
const NO_PODS = { REGISTRATION: 'on' };

async function errorOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

async function change(proxy: ProxyFixture, path: 'register' | 'unregister', url: string): Promise<void> {
  const response = await fetch(`${proxy.adminUrl}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url }),
  });
  expect(response.status).toBe(200);
}

describe('with no pods at all', () => {
  it('the proxy is ready, and requests are held until their deadline', async () => {
    await using proxy = await startProxy([], NO_PODS);
    expect((await fetch(`${proxy.adminUrl}/readyz`)).status).toBe(200);
    const asked = [
      proxy.post({}, { 'x-request-timeout-ms': '250' }),
      proxy.post({}, { 'x-request-timeout-ms': '250' }),
    ];
    await until(async () => (await proxy.metric(WAITING)) === 2);
    expect(await proxy.metric('ragscale_proxy_arrivals_total{route="default"}')).toBe(2);
    for (const answer of await Promise.all(asked)) {
      expect(answer.status).toBe(504);
      expect(await errorOf(answer)).toBe('deadline_exceeded');
    }
    expect(await proxy.metric(WAITING)).toBe(0);
  });

  it('as many are held as may wait', async () => {
    await using proxy = await startProxy([], { ...NO_PODS, MAX_QUEUED_REQUESTS: '3' });
    const leaving = new AbortController();
    const held = Array.from({ length: 3 }, () => proxy.post({}, {}, leaving.signal).catch(() => 'gone'));
    await until(async () => (await proxy.metric(WAITING)) === 3);
    const refused = await proxy.post();
    expect(refused.status).toBe(429);
    expect(await errorOf(refused)).toBe('queue_full');
    leaving.abort();
    await Promise.all(held);
    await until(async () => (await proxy.metric(WAITING)) === 0);
  });

  it('the first that appears gets them, first come, first served', async () => {
    await using proxy = await startProxy([], { ...NO_PODS, POD_CONCURRENCY: '1' });
    const asked: Promise<Response>[] = [];
    for (let at = 0; at < 6; at += 1) {
      asked.push(proxy.post({ query: String(at) }));
      await until(async () => (await proxy.metric(WAITING)) === at + 1);
    }
    await using pod = await FakePod.start();
    await change(proxy, 'register', pod.url);
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(pod.asked.map(queryOf)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(pod.mostInFlight).toBe(1);
  });

  it('because they went away, requests are held as well, and what ran is finished', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([], { ...NO_PODS, POD_CONCURRENCY: '1' });
    await change(proxy, 'register', pod.url);
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const running = proxy.post({ query: 'running' });
    await until(() => held.waiting.length === 1);
    await change(proxy, 'unregister', pod.url);
    const waiting = proxy.post({ query: 'waiting' });
    await until(async () => (await proxy.metric(WAITING)) === 1);
    held.release();
    expect((await running).status).toBe(200);
    expect(await proxy.metric(WAITING)).toBe(1);
    await change(proxy, 'register', pod.url);
    await until(() => held.waiting.length === 1);
    held.release();
    expect((await waiting).status).toBe(200);
    expect(pod.mostInFlight).toBe(1);
  });
});

describe('with pods that only start', () => {
  it('requests are held, and given to the first that is ready', async () => {
    await using pod = await FakePod.start();
    pod.readiness = 'not_ready';
    await using proxy = await startProxy([pod]);
    const asked = [proxy.post({ query: '0' }), proxy.post({ query: '1' })];
    await until(async () => (await proxy.metric(WAITING)) === 2);
    expect(await proxy.metric('ragscale_proxy_endpoints{route="default",state="starting"}')).toBe(1);
    expect(pod.asked.length).toBe(0);
    pod.readiness = 'ready';
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('with pods of which every one is unhealthy', () => {
  it('requests are refused at once with 503 and Retry-After', async () => {
    const gone = await FakePod.start();
    await using proxy = await startProxy([gone]);
    await gone.kill();
    await until(async () => Object.values(await proxy.states())[0] === 'unhealthy');
    const refused = await proxy.post();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await errorOf(refused)).toBe('no_backend');
  });

  it('those that wait are refused as soon as it is known', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const asked = [proxy.post(), proxy.post(), proxy.post()];
    await until(async () => (await proxy.metric(WAITING)) === 2);
    await pod.kill();
    const answers = await Promise.all(asked);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(await Promise.all(answers.map(errorOf))).toEqual(['no_backend', 'no_backend', 'no_backend']);
    expect(await proxy.metric(WAITING)).toBe(0);
    expect(await proxy.metric('ragscale_proxy_in_flight{route="default"}')).toBe(0);
  });

  it('and another that starts, requests are held for that one', async () => {
    await using gone = await FakePod.start();
    await using starting = await FakePod.start();
    starting.readiness = 'not_ready';
    await using proxy = await startProxy([gone, starting]);
    await gone.kill();
    const asked = proxy.post();
    await until(async () => (await proxy.metric(WAITING)) === 1);
    starting.readiness = 'ready';
    expect((await asked).status).toBe(200);
  });

  it('but one that is back already without the proxy knowing, that one answers', async () => {
    await using one = await FakePod.start();
    const first = await FakePod.start();
    const { port } = first;
    // Probes that come by themselves come too late.
    await using proxy = await startProxy([first, one], { PROBE_INTERVAL_MS: '600000', POD_CONCURRENCY: '8' });
    await first.kill();
    for (let round = 0; round < 2; round += 1) expect((await proxy.post()).status).toBe(200);
    expect((await proxy.states())[`127.0.0.1:${port}`]).toBe('unhealthy');
    await using second = await FakePod.start({ port });
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    const asked = Array.from({ length: 12 }, () => proxy.post());
    await until(async () => held.waiting.length === 8 && (await proxy.metric(WAITING)) === 4);
    await one.kill();
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect(second.asked.length).toBe(12);
  });
});
