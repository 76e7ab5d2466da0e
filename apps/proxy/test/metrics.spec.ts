/** What do the proxy's metrics say? */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { answerError, answerEvents, FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

function requests(proxy: ProxyFixture, status: number): Promise<number | undefined> {
  return proxy.metric(`ragscale_proxy_requests_total{route="default",status="${status}"}`);
}

function arrivals(proxy: ProxyFixture): Promise<number | undefined> {
  return proxy.metric('ragscale_proxy_arrivals_total{route="default"}');
}

describe('arrivals', () => {
  it('count whatever comes, and requests whatever becomes of it', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], {
      POD_CONCURRENCY: '1',
      MAX_QUEUED_REQUESTS: '0',
      MAX_BODY_BYTES: '100',
    });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const first = proxy.post();
    await until(() => held.waiting.length === 1);
    expect((await proxy.post()).status).toBe(429);
    expect((await fetch(`${proxy.url}/nowhere`)).status).toBe(404);
    expect((await fetch(`${proxy.url}/metrics`)).status).toBe(404);
    expect((await fetch(`${proxy.url}/rag`, { method: 'DELETE' })).status).toBe(405);
    expect((await proxy.post({}, { 'x-request-timeout-ms': 'x' })).status).toBe(400);
    expect((await proxy.post({ query: 'x'.repeat(200) })).status).toBe(413);
    held.release();
    await (await first).text();
    await until(async () => (await requests(proxy, 200)) === 1);
    expect(await arrivals(proxy)).toBe(7);
    expect(await requests(proxy, 404)).toBe(2);
    for (const status of [429, 405, 400, 413]) expect(await requests(proxy, status)).toBe(1);
    expect(await proxy.metric('ragscale_proxy_rejected_total{route="default",reason="queue_full"}')).toBe(1);
  });

  it('count before an answer is there', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const asked = proxy.post();
    await until(() => held.waiting.length === 1);
    expect(await arrivals(proxy)).toBe(1);
    expect(await requests(proxy, 200)).toBe(0);
    expect(await proxy.metric('ragscale_proxy_in_flight{route="default"}')).toBe(1);
    held.release();
    await (await asked).text();
    await until(async () => (await requests(proxy, 200)) === 1);
    expect(await proxy.metric('ragscale_proxy_in_flight{route="default"}')).toBe(0);
  });
});

describe('a client that goes away', () => {
  it('counts as 499, in the middle of a stream as well', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    pod.behaviour = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: token\ndata: {"text":"a"}\n\n');
    };
    const client = new RawClient(proxy.port);
    client.post('/rag', { query: 'q', stream: true });
    await client.until(/event: token/);
    client.socket.destroy();
    await until(async () => (await requests(proxy, 499)) === 1);
    expect(await requests(proxy, 200)).toBe(0);
    await until(() => pod.inFlight === 0);
    expect(await proxy.metric('ragscale_proxy_in_flight{route="default"}')).toBe(0);
  });
});

describe('durations', () => {
  it('of a stream end with its first token; those of the pods with its end', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    const { promise: until300, resolve } = Promise.withResolvers<void>();
    pod.behaviour = answerEvents(
      (async function* () {
        yield 'event: sources\ndata: []\n\n';
        yield 'event: token\ndata: {"text":"a"}\n\n';
        await until300;
        yield 'event: done\ndata: {}\n\n';
      })(),
    );
    const response = await proxy.post({ stream: true });
    setTimeout(resolve, 300);
    await response.text();
    await until(async () => (await requests(proxy, 200)) === 1);
    const total = await proxy.metric('ragscale_proxy_request_duration_seconds_sum{route="default",status="200"}');
    const upstream = await proxy.metric('ragscale_proxy_upstream_duration_seconds_sum{route="default"}');
    expect(upstream).toBeGreaterThan(0.25);
    expect(total).toBeLessThan((upstream ?? 0) - 0.2);
  });

  it('of the pods are those of the last try', async () => {
    await using bad = await FakePod.start();
    await using good = await FakePod.start();
    await using proxy = await startProxy([bad, good]);
    bad.behaviour = answerError(500, 'internal');
    await Promise.all([proxy.post(), proxy.post()]);
    await until(async () => (await requests(proxy, 200)) === 2);
    expect(await proxy.metric('ragscale_proxy_upstream_duration_seconds_count{route="default"}')).toBe(2);
    expect(await proxy.metric('ragscale_proxy_retries_total{route="default",reason="status"}')).toBe(1);
  });
});

describe('series', () => {
  it('are there from the start, at 0', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    expect(await arrivals(proxy)).toBe(0);
    for (const status of [200, 429, 499, 502, 503, 504]) expect(await requests(proxy, status)).toBe(0);
    for (const reason of ['refused', 'broken', 'silent', 'status', 'busy', 'hedge']) {
      expect(await proxy.metric(`ragscale_proxy_retries_total{route="default",reason="${reason}"}`)).toBe(0);
    }
    expect(await proxy.metric('ragscale_proxy_ejections_total{route="default"}')).toBe(0);
    for (const [state, count] of Object.entries({ healthy: 1, unhealthy: 0, ejected: 0, starting: 0, draining: 0 })) {
      expect(await proxy.metric(`ragscale_proxy_endpoints{route="default",state="${state}"}`)).toBe(count);
    }
  });
});
