/** When is a second pod asked while the first still works, and what becomes of the loser? */
import { describe, expect, it } from 'vitest';
import { answerJson, type Behaviour, FakePod } from './fake-pod.ts';
import { HeldAnswers } from './held-answers.ts';
import { type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

const HEDGING = { HEDGE_PERCENTILE: '90', HEDGE_BUDGET_PERCENT: '100' };

function hedges(proxy: ProxyFixture): Promise<number | undefined> {
  return proxy.metric('ragscale_proxy_retries_total{route="default",reason="hedge"}');
}

/** Until the percentile is known. */
async function learn(proxy: ProxyFixture): Promise<void> {
  for (let round = 0; round < 20; round += 1) await (await proxy.post()).text();
}

/** The first that comes to any of them is held; those after it are answered. */
function holdFirst(pods: readonly FakePod[]): HeldAnswers {
  const held = new HeldAnswers();
  const behaviour: Behaviour = (...call) => {
    for (const pod of pods) pod.behaviour = answerJson;
    return held.behaviour(...call);
  };
  for (const pod of pods) pod.behaviour = behaviour;
  return held;
}

describe('a request whose pod takes longer than usual', () => {
  it('is given to a second pod, whose answer goes out; the first is withdrawn', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], HEDGING);
    await learn(proxy);
    const before = (await hedges(proxy)) ?? 0;
    const asked = one.asked.length + two.asked.length;
    holdFirst([one, two]);
    const response = await proxy.post();
    expect(response.status).toBe(200);
    expect(response.headers.get('server-timing')).toContain('proxy-tries;desc="2"');
    expect((await hedges(proxy)) ?? 0).toBe(before + 1);
    expect(one.asked.length + two.asked.length).toBe(asked + 2);
    await until(() => one.inFlight + two.inFlight === 0);
    expect(await proxy.metric('ragscale_proxy_in_flight{route="default"}')).toBe(0);
  });

  it('waits for the first where there is no second pod with room', async () => {
    await using one = await FakePod.start();
    await using proxy = await startProxy([one], HEDGING);
    await learn(proxy);
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    const before = one.asked.length;
    const asked = proxy.post();
    await until(() => held.waiting.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    held.release();
    expect((await asked).status).toBe(200);
    expect(one.asked.length).toBe(before + 1);
    expect(await hedges(proxy)).toBe(0);
  });

  it('waits for the first where others wait for a pod', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], { ...HEDGING, POD_CONCURRENCY: '1' });
    await learn(proxy);
    const before = (await hedges(proxy)) ?? 0;
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    two.behaviour = held.behaviour;
    const asked = Array.from({ length: 5 }, () => proxy.post());
    await until(async () => (await proxy.metric('ragscale_proxy_waiting{route="default"}')) === 3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await hedges(proxy)) ?? 0).toBe(before);
    for (const left of [5, 3, 1]) {
      await until(() => held.waiting.length >= Math.min(2, left));
      held.release();
    }
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(5).fill(200));
  });

  it('is given to a second pod only within the budget', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], { HEDGE_PERCENTILE: '90', HEDGE_BUDGET_PERCENT: '0' });
    await learn(proxy);
    const held = holdFirst([one, two]);
    const asked = proxy.post();
    await until(() => held.waiting.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    held.release();
    expect((await asked).status).toBe(200);
    expect(await hedges(proxy)).toBe(0);
  });

  it('gets the answer of the first if that comes first, and the second is withdrawn', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], HEDGING);
    await learn(proxy);
    const held = new HeldAnswers();
    one.behaviour = held.behaviour;
    two.behaviour = held.behaviour;
    const asked = proxy.post();
    await until(() => held.waiting.length === 2);
    held.release(1);
    expect((await asked).status).toBe(200);
    await until(() => held.waiting.length === 0);
    await until(() => one.inFlight + two.inFlight === 0);
  });

  it('is finished by the second when the first breaks, without a third', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], HEDGING);
    await learn(proxy);
    const before = one.asked.length + two.asked.length;
    const responses: (() => void)[] = [];
    const breakable: Behaviour = (asked, response) => {
      if (responses.length === 0) responses.push(() => response.socket?.resetAndDestroy());
      else responses.push(() => answerJson(asked, response));
    };
    one.behaviour = breakable;
    two.behaviour = breakable;
    const asked = proxy.post();
    await until(() => responses.length === 2);
    responses[0]?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
    responses[1]?.();
    expect((await asked).status).toBe(200);
    expect(one.asked.length + two.asked.length).toBe(before + 2);
    expect(await proxy.metric('ragscale_proxy_retries_total{route="default",reason="broken"}')).toBe(0);
  });

  it('frees the room of the loser for those who wait', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two], { ...HEDGING, POD_CONCURRENCY: '1' });
    await learn(proxy);
    const streams: { begin: () => void; end: () => void }[] = [];
    const behaviour: Behaviour = (_asked, response) => {
      streams.push({
        begin: () => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write('event: token\ndata: {}\n\n');
        },
        end: () => response.end('event: done\ndata: {}\n\n'),
      });
    };
    one.behaviour = behaviour;
    two.behaviour = behaviour;
    const first = proxy.post({ stream: true });
    await until(() => streams.length === 2);
    const second = proxy.post({ stream: true });
    await until(async () => (await proxy.metric('ragscale_proxy_waiting{route="default"}')) === 1);
    // The winner's stream goes on; the loser's pod takes the one that waits.
    streams[0]?.begin();
    await until(() => streams.length === 3);
    streams[2]?.begin();
    for (const { end } of streams) end();
    expect(await (await first).text()).toContain('done');
    expect(await (await second).text()).toContain('done');
  });
});

describe('without HEDGE_PERCENTILE', () => {
  it('no second pod is asked', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two]);
    await learn(proxy);
    const held = holdFirst([one, two]);
    const asked = proxy.post();
    await until(() => held.waiting.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    held.release();
    expect((await asked).status).toBe(200);
    expect(one.asked.length + two.asked.length).toBe(21);
  });
});
