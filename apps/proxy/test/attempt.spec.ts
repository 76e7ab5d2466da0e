/** What a pod sees of a try that is not wanted any more. */
import { DEFAULT_HEALTH_SETTINGS } from '@ragscale/balancing/health';
import { describe, expect, it } from 'vitest';
import { Attempt, type AttemptListener } from '../src/attempt.ts';
import { foundEndpoint } from '../src/discovery/found-endpoints.ts';
import { Endpoint } from '../src/endpoint.ts';
import { FakePod } from './fake-pod.ts';
import { until } from './proxy-fixture.ts';

const REQUEST = { method: 'POST', path: '/rag', headers: ['host', 'localhost'], body: Buffer.from('{}') };

function endpointOf(pod: FakePod): Endpoint {
  return new Endpoint(foundEndpoint('127.0.0.1', pod.port), {
    health: DEFAULT_HEALTH_SETTINGS,
    slowStartMs: 0,
    connectTimeoutMs: 1_000,
    streamIdleTimeoutMs: 0,
    concurrency: undefined,
    proxies: () => 1,
  });
}

/** Writes down what it is told; `onHead` is what the test wants. */
function listener(events: string[], onHead: AttemptListener['onHead'] = () => events.push('head')): AttemptListener {
  return {
    onHead,
    onData: () => events.push('data'),
    onEnd: (attempt) => {
      events.push('end');
      attempt.release();
    },
    onFailure: (attempt, failure) => {
      events.push(failure);
      attempt.release();
    },
    onSilence: () => events.push('silence'),
    onOverdue: () => events.push('overdue'),
  };
}

describe('a try', () => {
  it('that is withdrawn while its connection is made never reaches the pod, and takes no room', async () => {
    await using pod = await FakePod.start();
    const endpoint = endpointOf(pod);
    const events: string[] = [];
    const withdrawn = new Attempt(endpoint, listener(events), 0);
    withdrawn.send(REQUEST);
    expect(endpoint.inFlight).toBe(1);
    withdrawn.withdraw();
    withdrawn.silent();
    expect(endpoint.inFlight).toBe(0);
    new Attempt(endpoint, listener(events), 0).send(REQUEST);
    await until(() => events.includes('end'));
    expect(events).toEqual(['head', 'data', 'end']);
    expect(pod.asked.length).toBe(1);
    await endpoint.pool.close();
    await until(async () => (await pod.connections()) === 0);
  });

  it('that is forgotten keeps its connection where the rest of the answer is short', async () => {
    await using pod = await FakePod.start();
    const endpoint = endpointOf(pod);
    const events: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      new Attempt(
        endpoint,
        listener(events, (attempt) => attempt.forget()),
        0,
      ).send(REQUEST);
      await until(() => endpoint.inFlight === 0 && endpoint.pool.stats.running === 0);
      expect(pod.asked.length).toBe(round + 1);
    }
    expect(events).toEqual([]);
    expect(await pod.connections()).toBe(1);
    await endpoint.pool.destroy();
  });

  it('that is forgotten breaks off an answer that does not end', async () => {
    await using pod = await FakePod.start();
    const endpoint = endpointOf(pod);
    pod.behaviour = (_asked, response) => {
      response.writeHead(429);
      response.write('and so on');
    };
    new Attempt(
      endpoint,
      listener([], (attempt) => attempt.forget()),
      0,
    ).send(REQUEST);
    await until(() => pod.asked[0]?.withdrawn() === true);
    await endpoint.pool.destroy();
  });

  it('says once when its time is over, and nothing when its answer has begun before', async () => {
    await using pod = await FakePod.start();
    const endpoint = endpointOf(pod);
    pod.behaviour = () => undefined;
    const events: string[] = [];
    const overdue = new Attempt(endpoint, listener(events), 0);
    overdue.isDueWithin(20);
    overdue.send(REQUEST);
    await until(() => events.length === 1);
    pod.behaviour = (_asked, response) => response.writeHead(200).flushHeaders();
    const begun = new Attempt(endpoint, listener(events), 0);
    begun.isDueWithin(200);
    begun.send(REQUEST);
    await until(() => events.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(events).toEqual(['overdue', 'head']);
    overdue.withdraw();
    begun.withdraw();
    await endpoint.pool.destroy();
  });
});
