/** How many requests a pod gets at once, and what becomes of those that it does not get. */
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { answerError, FakePod } from './fake-pod.ts';
import { HeldAnswers, queryOf } from './held-answers.ts';
import { startProxy, until } from './proxy-fixture.ts';

const WAITING = 'ragscale_proxy_waiting{route="default"}';
const IN_FLIGHT = 'ragscale_proxy_in_flight{route="default"}';

async function errorOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

describe('the requests that a pod gets at once', () => {
  it('are as many as its slots and one more; the rest waits', async () => {
    await using pod = await FakePod.start({ slots: 3 });
    await using proxy = await startProxy([pod]);
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const answers = Array.from({ length: 10 }, () => proxy.post());
    await until(async () => (await proxy.metric(WAITING)) === 6);
    expect(held.waiting.length).toBe(4);
    expect(await proxy.metric(IN_FLIGHT)).toBe(4);
    for (let done = 0; done < 10; done += 1) {
      await until(() => held.waiting.length === Math.min(4, 10 - done));
      held.release(1);
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(pod.mostInFlight).toBe(4);
    expect(await proxy.metric(WAITING)).toBe(0);
    expect(await proxy.metric(IN_FLIGHT)).toBe(0);
  });

  it('are shared among the proxies', async () => {
    await using pod = await FakePod.start({ slots: 5 });
    await using proxy = await startProxy([pod], { PROXIES: '2' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const answers = Array.from({ length: 6 }, () => proxy.post());
    await until(async () => (await proxy.metric(WAITING)) === 2);
    expect(held.waiting.length).toBe(4);
    held.release();
    await until(() => held.waiting.length === 2);
    held.release();
    await Promise.all(answers);
  });

  it('are what the configuration says, whatever the pod announces', async () => {
    await using pod = await FakePod.start({ slots: 8 });
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const answers = [proxy.post(), proxy.post()];
    await until(async () => (await proxy.metric(WAITING)) === 1);
    expect(held.waiting.length).toBe(1);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    await Promise.all(answers);
    expect(pod.mostInFlight).toBe(1);
  });

  it('are learnt from answers where probes say nothing', async () => {
    await using pod = await FakePod.start({ slots: null });
    await using proxy = await startProxy([pod]);
    const held = new HeldAnswers();
    pod.behaviour = (_asked, response) => {
      response.setHeader('x-ragscale-slots', '1');
      response.end('{}');
    };
    await (await proxy.post()).text();
    pod.behaviour = held.behaviour;
    await until(async () => (await (await fetch(`${proxy.adminUrl}/endpoints`)).text()).includes('"cap":2'));
    const answers = [proxy.post(), proxy.post(), proxy.post()];
    await until(async () => (await proxy.metric(WAITING)) === 1);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    await Promise.all(answers);
    expect(pod.mostInFlight).toBe(2);
  });
});

describe('the line of those who wait', () => {
  it('is served first come, first served', async () => {
    await using one = await FakePod.start({ slots: 1 });
    await using two = await FakePod.start({ slots: 1 });
    await using proxy = await startProxy([one, two], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    two.behaviour = held.behaviour;
    const answers: Promise<Response>[] = [];
    for (let at = 0; at < 12; at += 1) {
      answers.push(proxy.post({ query: String(at) }));
      await until(async () => held.waiting.length + ((await proxy.metric(WAITING)) ?? 0) === at + 1);
    }
    const order: string[] = [];
    for (let done = 0; done < 12; done += 1) {
      await until(() => held.waiting.length === Math.min(2, 12 - done));
      order.push(queryOf(held.waiting[0]!));
      held.release(1);
    }
    expect(order).toEqual(Array.from({ length: 12 }, (_, at) => String(at)));
    await Promise.all(answers);
  });

  it('is bounded by requests: beyond that 429 with Retry-After', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1', MAX_QUEUED_REQUESTS: '2' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const answers = [proxy.post(), proxy.post(), proxy.post()];
    await until(async () => (await proxy.metric(WAITING)) === 2);
    const refused = await proxy.post();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
    expect(await errorOf(refused)).toBe('queue_full');
    for (let done = 0; done < 3; done += 1) {
      await until(() => held.waiting.length === 1);
      held.release();
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('is bounded by the bytes of bodies', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1', MAX_QUEUED_BYTES: '1000' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const first = proxy.post();
    await until(() => held.waiting.length === 1);
    expect((await proxy.post({ query: 'x'.repeat(1_000) })).status).toBe(429);
    const second = proxy.post({ query: 'x'.repeat(900) });
    await until(async () => (await proxy.metric(WAITING)) === 1);
    expect((await proxy.post({ query: 'x'.repeat(900) })).status).toBe(429);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('is not needed where pods have room, even with no place in it', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1', MAX_QUEUED_REQUESTS: '0' });
    expect((await proxy.post()).status).toBe(200);
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const first = proxy.post();
    await until(() => held.waiting.length === 1);
    expect((await proxy.post()).status).toBe(429);
    held.release();
    expect((await first).status).toBe(200);
  });

  it('loses whoever leaves, and nobody else', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const first = proxy.post({ query: 'first' });
    await until(() => held.waiting.length === 1);
    const leaving = new AbortController();
    const left = proxy.post({ query: 'left' }, {}, leaving.signal).catch(() => 'gone');
    await until(async () => (await proxy.metric(WAITING)) === 1);
    const last = proxy.post({ query: 'last' });
    await until(async () => (await proxy.metric(WAITING)) === 2);
    leaving.abort();
    expect(await left).toBe('gone');
    await until(async () => (await proxy.metric(WAITING)) === 1);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    await Promise.all([first, last]);
    expect(pod.asked.map(queryOf)).toEqual(['first', 'last']);
    expect(await proxy.metric('ragscale_proxy_requests_total{route="default",status="499"}')).toBe(1);
  });
});

describe('a client that leaves while its request runs', () => {
  it('frees the pod at once, and the next in line gets it', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    using client = new RawClient(proxy.port);
    client.post('/rag', { query: 'left' });
    await until(() => held.waiting.length === 1);
    const next = proxy.post({ query: 'next' });
    await until(async () => (await proxy.metric(WAITING)) === 1);
    client.socket.destroy();
    await until(() => held.waiting.length === 1 && queryOf(held.waiting[0]!) === 'next');
    expect(pod.asked[0]!.withdrawn()).toBe(true);
    held.release();
    expect((await next).status).toBe(200);
  });
});

describe('a deadline', () => {
  it('removes who waits, and whoever runs, with 504', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const running = proxy.post({ query: 'running' }, { 'x-request-timeout-ms': '150' });
    await until(() => held.waiting.length === 1);
    const waiting = proxy.post({ query: 'waiting' }, { 'x-request-timeout-ms': '50' });
    const answers = await Promise.all([running, waiting]);
    expect(answers.map(({ status }) => status)).toEqual([504, 504]);
    expect(await Promise.all(answers.map(errorOf))).toEqual(['deadline_exceeded', 'deadline_exceeded']);
    await until(() => pod.asked[0]!.withdrawn());
    expect(pod.asked.length).toBe(1);
    expect(await proxy.metric(WAITING)).toBe(0);
    expect(await proxy.metric(IN_FLIGHT)).toBe(0);
  });

  it('is held to what is configured, and the pod learns what is left of it', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], {
      POD_CONCURRENCY: '1',
      REQUEST_TIMEOUT_MS: '4000',
      MIN_REQUEST_TIMEOUT_MS: '2000',
      MAX_REQUEST_TIMEOUT_MS: '8000',
    });
    const told = async (asked?: string): Promise<number> => {
      await proxy.post({}, asked === undefined ? {} : { 'x-request-timeout-ms': asked });
      return Number(pod.asked.at(-1)!.headers['x-request-timeout-ms']);
    };
    for (const [asked, most] of [
      [undefined, 4_000],
      ['1', 2_000],
      ['999999', 8_000],
      ['3000', 3_000],
    ] as const) {
      const left = await told(asked);
      expect(left).toBeLessThanOrEqual(most);
      expect(left).toBeGreaterThan(most - 1_000);
    }
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const first = proxy.post();
    await until(() => held.waiting.length === 1);
    const second = proxy.post({}, { 'x-request-timeout-ms': '3000' });
    await until(async () => (await proxy.metric(WAITING)) === 1);
    const waitedSince = performance.now();
    await until(() => performance.now() - waitedSince >= 50);
    held.release();
    await until(() => held.waiting.length === 1);
    expect(Number(pod.asked.at(-1)!.headers['x-request-timeout-ms'])).toBeLessThanOrEqual(2_951);
    held.release();
    await Promise.all([first, second]);
  });

  it('that is no number is a 400 that names the header', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    for (const given of ['0', '-1', 'soon', '1.5']) {
      const response = await proxy.post({}, { 'x-request-timeout-ms': given });
      expect(response.status).toBe(400);
      expect(((await response.json()) as { error: { param: string } }).error.param).toBe('X-Request-Timeout-Ms');
    }
    expect(pod.asked.length).toBe(0);
  });
});

describe('a pod that is busy', () => {
  it.each([429, 503])('(%i) is left alone for a while, and another answers', async (status) => {
    await using busy = await FakePod.start();
    await using free = await FakePod.start();
    await using proxy = await startProxy([busy, free]);
    busy.behaviour = answerError(status, 'queue_full', { 'retry-after': '1' });
    const answers = await Promise.all(Array.from({ length: 6 }, () => proxy.post()));
    expect(answers.map((answer) => answer.status)).toEqual(Array(6).fill(200));
    expect(free.asked.length).toBe(6);
    expect(busy.asked.length).toBeLessThanOrEqual(3);
    expect(await proxy.metric('ragscale_proxy_ejections_total{route="default"}')).toBe(0);
    expect(await proxy.metric('ragscale_proxy_retries_total{route="default",reason="busy"}')).toBe(busy.asked.length);
  });

  it('gets the request again when nobody else is there, and its answer goes out after ten times', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { RETRY_BUDGET_PERCENT: '0' });
    pod.behaviour = answerError(429, 'queue_full', { 'retry-after': '0' });
    const response = await proxy.post();
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('0');
    expect(pod.asked.length).toBe(11);
    expect(pod.mostInFlight).toBe(1);
  });

  it('comes before those that have not had their turn when it has room again', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { POD_CONCURRENCY: '1' });
    const held = new HeldAnswers();
    pod.behaviour = (...call) => {
      pod.behaviour = held.behaviour;
      return answerError(429, 'queue_full', { 'retry-after': '1' })(...call);
    };
    const first = proxy.post({ query: 'first' });
    await until(() => pod.asked.length === 1);
    const second = proxy.post({ query: 'second' });
    await until(async () => (await proxy.metric(WAITING)) === 2);
    await until(() => held.waiting.length === 1);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    await Promise.all([first, second]);
    expect(pod.asked.map(queryOf)).toEqual(['first', 'first', 'second']);
  });

  it('whose refusal never ends does not keep its connection', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    let endless = 0;
    pod.behaviour = (_asked, response) => {
      response.writeHead(429, { 'retry-after': '0' });
      response.once('close', () => {
        endless += 1;
      });
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const asked = proxy.post();
    await until(() => pod.asked.length >= 10);
    await until(() => endless >= 10);
    await (await asked).body?.cancel();
  });
});
