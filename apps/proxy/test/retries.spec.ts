/** When is a request given to another pod, and when not? */
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { answerError, answerJson, type Behaviour, FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { IMPATIENT, type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

function retries(proxy: ProxyFixture, reason: string): Promise<number | undefined> {
  return proxy.metric(`ragscale_proxy_retries_total{route="default",reason="${reason}"}`);
}

async function errorOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

/** Resets the connection without an answer. */
const breakOff: Behaviour = (_asked, response) => {
  response.socket?.resetAndDestroy();
};

/** Sends the head and a part of the body, and no more. */
const stopHalfway: Behaviour = (_asked, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
  response.write('{"query":');
};

/** No probe finds anything out in the time of a test. */
const BLIND = { PROBE_INTERVAL_MS: '600000' };

describe('a request is given to another pod', () => {
  it('when nothing listens any more, and costs no request', async () => {
    await using gone = await FakePod.start();
    await using there = await FakePod.start();
    await using proxy = await startProxy([gone, there], BLIND);
    await gone.kill();
    const answers = await Promise.all(Array.from({ length: 8 }, () => proxy.post()));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(there.asked.length).toBe(8);
    expect(await retries(proxy, 'refused')).toBeGreaterThan(0);
  });

  it('when the connection breaks before an answer', async () => {
    await using bad = await FakePod.start();
    await using good = await FakePod.start();
    await using proxy = await startProxy([bad, good], BLIND);
    bad.behaviour = breakOff;
    for (let round = 0; round < 4; round += 1) expect((await proxy.post()).status).toBe(200);
    expect(await retries(proxy, 'broken')).toBe(bad.asked.length);
    expect(good.asked.length).toBe(4);
    expect(bad.asked.length).toBeGreaterThan(0);
  });

  it('when the pod is killed in the middle of a small answer, and the client sees one whole answer', async () => {
    await using dying = await FakePod.start();
    await using other = await FakePod.start();
    await using proxy = await startProxy([dying, other], BLIND);
    dying.behaviour = stopHalfway;
    const answers = [proxy.post(), proxy.post()];
    await until(() => dying.asked.length === 1 && other.asked.length === 1);
    await dying.kill();
    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ query: 'q', result: 'r', sources: [] });
    }
    expect(other.asked.length).toBe(2);
  });

  it.each([500, 502])('when it answers %i', async (status) => {
    await using bad = await FakePod.start();
    await using good = await FakePod.start();
    await using proxy = await startProxy([bad, good]);
    bad.behaviour = answerError(status, 'internal');
    const answers = await Promise.all([proxy.post(), proxy.post()]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(
      answers.map((answer) => /proxy-tries;desc="(\d)"/.exec(answer.headers.get('server-timing') ?? '')?.[1]).sort(),
    ).toEqual(['1', '2']);
    expect(await retries(proxy, 'status')).toBe(1);
  });

  it('when the pod is frozen: it takes connections and answers nothing, not even probes', async () => {
    await using frozen = await FakePod.start();
    await using other = await FakePod.start();
    await using proxy = await startProxy([frozen, other], IMPATIENT);
    const answers = [proxy.post(), proxy.post(), proxy.post(), proxy.post()];
    frozen.behaviour = () => undefined;
    frozen.readiness = 'silent';
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await retries(proxy, 'silent')).toBe(frozen.asked.length);
    await until(() => frozen.asked.every(({ withdrawn }) => withdrawn()));
  });

  it('when the pod freezes in the middle of a small answer', async () => {
    await using frozen = await FakePod.start();
    await using other = await FakePod.start();
    await using proxy = await startProxy([frozen, other], IMPATIENT);
    frozen.behaviour = stopHalfway;
    const answers = [proxy.post(), proxy.post()];
    await until(() => frozen.asked.length === 1);
    frozen.readiness = 'silent';
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('after TRY_TIMEOUT_MS, where that is set', async () => {
    await using slow = await FakePod.start();
    await using other = await FakePod.start();
    await using proxy = await startProxy([slow, other], { TRY_TIMEOUT_MS: '100' });
    slow.behaviour = () => undefined;
    const answers = await Promise.all([proxy.post(), proxy.post()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await retries(proxy, 'silent')).toBe(1);
    expect(slow.asked[0]!.withdrawn()).toBe(true);
  });

  it('that has not failed it, even if it has to wait for that', async () => {
    await using bad = await FakePod.start();
    await using good = await FakePod.start();
    await using proxy = await startProxy([bad, good], { POD_CONCURRENCY: '1', EJECTION_FAILURES: '1000' });
    const held = new HeldAnswers();
    good.behaviour = held.behaviour;
    bad.behaviour = answerError(500, 'internal');
    const answers = [proxy.post(), proxy.post()];
    await until(() => held.waiting.length === 1);
    await until(async () => (await proxy.metric('ragscale_proxy_waiting{route="default"}')) === 1);
    held.release();
    await until(() => held.waiting.length === 1);
    held.release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    expect(bad.asked.length).toBe(1);
  });

  it('that has not failed it, even if that is busy for a moment', async () => {
    await using bad = await FakePod.start();
    await using busy = await FakePod.start();
    await using proxy = await startProxy([bad, busy], { EJECTION_FAILURES: '1000' });
    bad.behaviour = answerError(500, 'internal');
    busy.behaviour = (...call) => {
      busy.behaviour = answerJson;
      return answerError(429, 'queue_full', { 'retry-after': '1' })(...call);
    };
    const answers = await Promise.all([proxy.post(), proxy.post()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(bad.asked.length).toBeLessThanOrEqual(2);
  });
});

describe('a request is not given to another pod', () => {
  it('more often than MAX_TRIES allows: then the client gets what the last one said', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using three = await FakePod.start();
    const pods = [one, two, three];
    await using proxy = await startProxy(pods, { MAX_TRIES: '2' });
    for (const pod of pods) pod.behaviour = answerError(500, 'internal');
    const response = await proxy.post();
    expect(response.status).toBe(500);
    expect(await errorOf(response)).toBe('internal');
    expect(pods.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(2);
  });

  it('more often than the budget allows', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], { RETRY_BUDGET_PERCENT: '0', EJECTION_FAILURES: '1000' });
    for (const pod of [one, two]) pod.behaviour = answerError(500, 'internal');
    for (let sent = 0; sent < 120; sent += 20) {
      await Promise.all(Array.from({ length: 20 }, async () => (await proxy.post()).text()));
    }
    // 10 a second, saved up over 10 seconds.
    expect(one.asked.length + two.asked.length).toBe(220);
    expect(await retries(proxy, 'status')).toBe(100);
  });

  it('when the client has got the first bytes: a stream ends with an error event', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], BLIND);
    const begin: Behaviour = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: token\ndata: {"text":"a"}\n\n');
    };
    one.behaviour = begin;
    two.behaviour = begin;
    using client = new RawClient(proxy.port);
    client.post('/rag', { query: 'q', stream: true });
    await client.until(/event: token/);
    await Promise.all([one.kill(), two.kill()]);
    await client.untilEnd();
    expect(client.events.map(({ name }) => name)).toEqual(['token', 'error']);
    expect(JSON.parse(client.events[1]!.data).error.code).toBe('upstream_failed');
    expect(one.asked.length + two.asked.length).toBe(1);
    await until(async () => (await proxy.metric('ragscale_proxy_requests_total{route="default",status="502"}')) === 1);
  });

  it('when its body was passed through', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], { BUFFERED_BODY_BYTES: '1000' });
    for (const pod of [one, two]) pod.behaviour = answerError(500, 'internal');
    expect((await proxy.post({ query: 'x'.repeat(2_000) })).status).toBe(500);
    expect(one.asked.length + two.asked.length).toBe(1);
    for (const pod of [one, two]) pod.behaviour = answerError(429, 'queue_full');
    expect((await proxy.post({ query: 'x'.repeat(2_000) })).status).toBe(429);
    expect(one.asked.length + two.asked.length).toBe(2);
  });

  it.each([400, 404, 413, 422, 501, 504])('when the answer is a %i', async (status) => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], { EJECTION_FAILURES: '1' });
    for (const pod of [one, two]) pod.behaviour = answerError(status, 'invalid_request');
    expect((await proxy.post()).status).toBe(status);
    expect(one.asked.length + two.asked.length).toBe(1);
    expect(await proxy.metric('ragscale_proxy_ejections_total{route="default"}')).toBe(0);
  });

  it('when its pod is slow or silent and there is no other: it may still answer', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { ...IMPATIENT, TRY_TIMEOUT_MS: '50' });
    let answer: ServerResponse | undefined;
    pod.behaviour = (_asked, response) => {
      answer = response;
    };
    const asked = proxy.post();
    await until(() => answer !== undefined);
    pod.readiness = 'silent';
    await until(async () => Object.values(await proxy.states())[0] === 'unhealthy');
    answerJson(pod.asked[0]!, answer!);
    expect((await asked).status).toBe(200);
    expect(pod.asked.length).toBe(1);
  });
});

describe('a body that is passed through', () => {
  it('and turns out to be too large is a 413, and no fault of the pod', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], {
      BUFFERED_BODY_BYTES: '100',
      MAX_BODY_BYTES: '100000',
      EJECTION_FAILURES: '1',
    });
    using client = new RawClient(proxy.port);
    client.socket.write(
      'POST /rag HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    for (let sent = 0; sent < 12; sent += 1) client.socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`);
    await client.until(/"payload_too_large"/);
    expect(client.head).toContain('413');
    expect(Object.values(await proxy.states())).toEqual(['healthy']);
    expect(await proxy.metric('ragscale_proxy_ejections_total{route="default"}')).toBe(0);
  });

  it('and ends in the middle is no fault of the pod', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { BUFFERED_BODY_BYTES: '100', EJECTION_FAILURES: '1' });
    for (let round = 0; round < 5; round += 1) {
      const client = new RawClient(proxy.port);
      client.socket.write(
        `POST /rag HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n${'x'.repeat(500)}`,
      );
      await until(() => pod.inFlight === 1);
      client.socket.resetAndDestroy();
      await until(() => pod.inFlight === 0);
    }
    await until(async () => (await proxy.metric('ragscale_proxy_requests_total{route="default",status="499"}')) === 5);
    expect(await proxy.metric('ragscale_proxy_ejections_total{route="default"}')).toBe(0);
    expect((await proxy.post({})).status).toBe(200);
  });
});

describe('a pod that is killed with many requests', () => {
  it('loses none of them, however little else is asked', async () => {
    await using dying = await FakePod.start({ slots: 300 });
    await using other = await FakePod.start({ slots: 300 });
    await using proxy = await startProxy([dying, other], BLIND);
    const held = new HeldAnswers();
    dying.behaviour = held.behaviour;
    const answers = Array.from({ length: 400 }, () => proxy.post());
    await until(() => held.waiting.length === 200);
    await dying.kill();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(400);
    expect(other.asked.length).toBe(400);
  });
});
