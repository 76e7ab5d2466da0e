/** Which pods get requests, and which do not? */
import { describe, expect, it } from 'vitest';
import { answerError, answerJson, type Behaviour, FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { IMPATIENT, type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

function idOf(pod: FakePod): string {
  return `127.0.0.1:${pod.port}`;
}

async function stateOf(proxy: ProxyFixture, id: string): Promise<string | undefined> {
  return (await proxy.states())[id];
}

function ejections(proxy: ProxyFixture): Promise<number | undefined> {
  return proxy.metric('ragscale_proxy_ejections_total{route="default"}');
}

async function postMany(proxy: ProxyFixture, count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const response = await proxy.post();
      await response.text();
      return response.status;
    }),
  );
}

describe('probes', () => {
  it('hold a pod back until it is ready', async () => {
    await using ready = await FakePod.start();
    await using loading = await FakePod.start();
    loading.readiness = 'not_ready';
    await using proxy = await startProxy([ready, loading]);
    expect(await stateOf(proxy, idOf(loading))).toBe('starting');
    expect(await postMany(proxy, 10)).toEqual(Array(10).fill(200));
    expect(loading.asked.length).toBe(0);
    loading.readiness = 'ready';
    await until(async () => (await stateOf(proxy, idOf(loading))) === 'healthy');
    await postMany(proxy, 10);
    expect(loading.asked.length).toBe(5);
  });

  it('give a pod that drains no new work, and let it finish what it has', async () => {
    await using leaving = await FakePod.start();
    await using staying = await FakePod.start();
    await using proxy = await startProxy([leaving, staying]);
    const held = new HeldAnswers();
    leaving.behaviour = held.behaviour;
    const answers = [proxy.post(), proxy.post()];
    await until(() => held.waiting.length === 1);
    leaving.readiness = 'draining';
    await until(async () => (await stateOf(proxy, idOf(leaving))) === 'draining');
    expect(await postMany(proxy, 10)).toEqual(Array(10).fill(200));
    expect(leaving.asked.length).toBe(1);
    held.release();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('are asked for at once by a 503, so that a pod that drains gets one request in vain at most', async () => {
    await using leaving = await FakePod.start();
    await using staying = await FakePod.start();
    await using proxy = await startProxy([leaving, staying], { PROBE_INTERVAL_MS: '600000' });
    leaving.readiness = 'draining';
    leaving.behaviour = answerError(503, 'draining', { 'retry-after': '0' });
    for (let round = 0; round < 20; round += 1) expect((await proxy.post()).status).toBe(200);
    expect(leaving.asked.length).toBe(1);
    expect(await stateOf(proxy, idOf(leaving))).toBe('draining');
  });

  it('take back a pod that was restarted at its old address', async () => {
    await using other = await FakePod.start();
    const first = await FakePod.start();
    const { port } = first;
    await using proxy = await startProxy([first, other]);
    await first.kill();
    await until(async () => (await stateOf(proxy, `127.0.0.1:${port}`)) === 'unhealthy');
    expect(await postMany(proxy, 4)).toEqual(Array(4).fill(200));
    await using second = await FakePod.start({ port });
    await until(async () => (await stateOf(proxy, `127.0.0.1:${port}`)) === 'healthy');
    await postMany(proxy, 4);
    expect(second.asked.length).toBe(2);
  });

  it('go on while a pod is full', async () => {
    await using pod = await FakePod.start({ slots: 1 });
    await using proxy = await startProxy([pod]);
    const held = new HeldAnswers();
    pod.behaviour = held.behaviour;
    const answers = Array.from({ length: 5 }, () => proxy.post());
    await until(() => held.waiting.length === 2);
    pod.readiness = 'draining';
    await until(async () => (await stateOf(proxy, idOf(pod))) === 'draining');
    held.release();
    await until(async () => (await proxy.metric('ragscale_proxy_in_flight{route="default"}')) === 0);
    // It has finished what it had; the others wait for a pod, as they would for a target that is scaled to zero.
    expect(await proxy.metric('ragscale_proxy_waiting{route="default"}')).toBe(3);
    pod.readiness = 'ready';
    pod.behaviour = answerJson;
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
  });
});

describe('a pod that fails its requests', () => {
  it('is taken out after so many failures in a row, and comes back after a time that grows', async () => {
    await using bad = await FakePod.start();
    await using good = await FakePod.start();
    await using proxy = await startProxy([bad, good], { EJECTION_FAILURES: '3', EJECTION_MS: '200' });
    bad.behaviour = answerError(500, 'internal');
    while ((await ejections(proxy)) === 0) expect((await proxy.post()).status).toBe(200);
    expect(bad.asked.length).toBe(3);
    expect(await stateOf(proxy, idOf(bad))).toBe('ejected');
    expect(await postMany(proxy, 10)).toEqual(Array(10).fill(200));
    expect(bad.asked.length).toBe(3);
    // Its probes are fine all the time: time alone brings it back, and then one failure is enough.
    await until(async () => (await stateOf(proxy, idOf(bad))) === 'healthy');
    while ((await ejections(proxy)) === 1) await proxy.post();
    expect(bad.asked.length).toBe(4);
    bad.behaviour = answerJson;
    await until(async () => (await stateOf(proxy, idOf(bad))) === 'healthy');
    while (bad.asked.length < 8) await proxy.post();
    expect(await ejections(proxy)).toBe(2);
  });

  it('is not taken out where good answers lie between', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { EJECTION_FAILURES: '2', MAX_TRIES: '1' });
    for (let round = 0; round < 5; round += 1) {
      pod.behaviour = answerError(500, 'internal');
      expect((await proxy.post()).status).toBe(500);
      pod.behaviour = answerJson;
      expect((await proxy.post()).status).toBe(200);
    }
    expect(await ejections(proxy)).toBe(0);
  });

  it('is used nonetheless when too few others are able', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using three = await FakePod.start();
    const pods = [one, two, three];
    await using proxy = await startProxy(pods, { EJECTION_FAILURES: '1', EJECTION_MS: '300000', MAX_TRIES: '1' });
    for (const pod of pods) pod.behaviour = answerError(500, 'internal');
    while ((await ejections(proxy)) !== 3) await proxy.post();
    expect(Object.values(await proxy.states())).toEqual(['ejected', 'ejected', 'ejected']);
    for (const pod of pods) pod.behaviour = answerJson;
    expect(await postMany(proxy, 9)).toEqual(Array(9).fill(200));
  });

  it('is not used where FAIL_OPEN_PERCENT=0: then there is nobody', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], {
      EJECTION_FAILURES: '1',
      EJECTION_MS: '300000',
      FAIL_OPEN_PERCENT: '0',
      MAX_TRIES: '1',
    });
    pod.behaviour = answerError(500, 'internal');
    expect((await proxy.post()).status).toBe(500);
    pod.behaviour = answerJson;
    expect((await proxy.post()).status).toBe(503);
  });
});

describe('frozen pods', () => {
  it('of which there are so many that they are used again do not keep what an able one could answer', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using able = await FakePod.start();
    await using proxy = await startProxy([one, two, able], IMPATIENT);
    for (const pod of [one, two]) {
      pod.behaviour = () => undefined;
      pod.readiness = 'silent';
    }
    await until(async () => Object.values(await proxy.states()).filter((state) => state === 'unhealthy').length === 2);
    expect(await postMany(proxy, 12)).toEqual(Array(12).fill(200));
    expect(able.asked.length).toBe(12);
  });

  it('hold the streams that have begun until they go on, or the client leaves', async () => {
    await using frozen = await FakePod.start();
    await using other = await FakePod.start();
    await using proxy = await startProxy([frozen, other], IMPATIENT);
    const ends: (() => void)[] = [];
    const begin: Behaviour = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: token\ndata: {"text":"a"}\n\n');
      ends.push(() => response.end('event: done\ndata: {}\n\n'));
    };
    frozen.behaviour = begin;
    other.behaviour = begin;
    const streams = await Promise.all([proxy.post({ stream: true }), proxy.post({ stream: true })]);
    await until(() => ends.length === 2);
    frozen.readiness = 'silent';
    await until(async () => (await stateOf(proxy, idOf(frozen))) === 'unhealthy');
    frozen.readiness = 'ready';
    await until(async () => (await stateOf(proxy, idOf(frozen))) === 'healthy');
    for (const end of ends) end();
    for (const stream of streams) expect(await stream.text()).toContain('event: done');
    expect(frozen.asked.length).toBe(1);
  });

  it('break the streams that have begun after STREAM_IDLE_TIMEOUT_MS', async () => {
    await using frozen = await FakePod.start();
    await using proxy = await startProxy([frozen], { STREAM_IDLE_TIMEOUT_MS: '500' });
    frozen.behaviour = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: token\ndata: {"text":"a"}\n\n');
    };
    const text = await (await proxy.post({ stream: true })).text();
    expect(text).toContain('event: error\ndata: {"error":{"message":"the pod broke off before it answered"');
  });
});

describe.each(['peak-ewma', 'least-request', 'two-choices', 'round-robin'])('to %s', (policy) => {
  it.each([
    [429, { 'retry-after': '1' }],
    [503, { 'retry-after': '1' }],
    [500, {}],
  ] as const)('a pod that answers %i at once is not attractive', async (status, headers) => {
    await using bad = await FakePod.start({ slots: 4 });
    await using good = await FakePod.start({ slots: 4 });
    await using proxy = await startProxy([bad, good], { POLICY: policy });
    bad.behaviour = answerError(status, 'no', headers);
    good.behaviour = (asked, response) => {
      setTimeout(() => answerJson(asked, response), 5);
    };
    expect(await postMany(proxy, 60)).toEqual(Array(60).fill(200));
    expect(good.asked.length).toBe(60);
    expect(bad.asked.length).toBeLessThanOrEqual(10);
  });
});

describe('a pod that has become able', () => {
  it('weighs little at first', async () => {
    await using pod = await FakePod.start();
    pod.readiness = 'not_ready';
    await using proxy = await startProxy([pod], { SLOW_START_MS: '600000' });
    pod.readiness = 'ready';
    await until(async () => (await stateOf(proxy, idOf(pod))) === 'healthy');
    expect(await (await fetch(`${proxy.adminUrl}/endpoints`)).json()).toMatchObject({
      routes: { default: [{ weight: 0.1 }] },
    });
  });
});
