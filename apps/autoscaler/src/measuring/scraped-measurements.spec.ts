import { PodMetrics } from '@ragscale/service/pod-metrics';
import { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import type { Measured } from '../measurements.ts';
import type { Target } from '../target.ts';
import { ScrapedMeasurements } from './scraped-measurements.ts';

const target: Target = {
  ...{ id: 'local/rag', namespace: '', name: 'rag', generation: 1, route: 'default' },
  policy: {
    maxReplicas: 4,
    objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
    windowsMs: [10_000, 60_000],
  },
};

/** Processes that come and go, and seconds that pass in no time. */
class World {
  readonly clock = new HandClock();
  readonly proxies = new Map<string, ProxyMetrics | Error>();
  readonly pods = new Map<string, PodMetrics | Error>();
  readonly measurements = new ScrapedMeasurements({
    proxies: () => urlsOf(this.proxies),
    pods: () => urlsOf(this.pods),
    clock: this.clock,
    fetch: async (url) => {
      const process = this.proxies.get(url) ?? this.pods.get(url);
      if (process === undefined || process instanceof Error) throw process ?? new Error('nobody is there');
      return await process.render();
    },
  });

  constructor() {
    this.proxies.set('proxy-a', newProxy());
    for (const name of ['rag-1', 'rag-2']) this.pods.set(name, newPod());
    this.measurements.start();
  }

  /** Each second so many requests, of which one in five is late and one in five refused, as the real proxy counts them. */
  async pass(seconds: number, perSecond = 10, proxy = this.proxies.get('proxy-a')): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      for (let index = 0; index < perSecond && proxy instanceof ProxyMetrics; index++) {
        const late = index % 5 === 1;
        const status = index % 5 === 2 ? 429 : 200;
        proxy.arrived('default');
        if (status === 200) proxy.upstreamEnded('default', late ? 2_200 : 500);
        proxy.requestEnded('default', status, late ? 2_200 : 500);
        proxy.requestEnded('default', 499, 10);
      }
      await this.clock.advance(1_000);
    }
  }

  async measure(readyPods: readonly string[] = ['rag-1', 'rag-2']): Promise<Measured> {
    return (await this.measurements.measure([{ target, readyPods }])).get(target.id)!;
  }
}

function urlsOf(processes: ReadonlyMap<string, unknown>): Map<string, string> {
  return new Map([...processes.keys()].map((name) => [name, name]));
}

function newProxy(objectiveSeconds = 2): ProxyMetrics {
  const proxy = new ProxyMetrics({ objectiveSeconds });
  proxy.observe('default', () => ({ inFlight: 1, waiting: 3, endpoints: {} }));
  return proxy;
}

function newPod(): PodMetrics {
  const pod = new PodMetrics({ variant: 'batched', objectiveSeconds: 2, sharesPrefixes: true });
  pod.queueChanged(1, 5);
  pod.slotsChanged(8);
  return pod;
}

const value = (number: number) => ({ kind: 'value', value: number });

let world: World;
beforeEach(() => {
  world = new World();
  return () => world.measurements.stop();
});

describe('what is scraped', () => {
  it('becomes the same readings as through Prometheus', async () => {
    await world.pass(70);
    const { observation, ...about } = await world.measure();
    expect(observation).toMatchObject({
      arrivalRates: [
        { windowMs: 10_000, reading: value(10) },
        { windowMs: 60_000, reading: value(10) },
      ],
      waiting: value(3 + 1 + 1),
      running: value(10),
      slots: value(8),
      completionRate: value(8),
      serviceMs: { kind: 'value', value: expect.closeTo(925) },
      badShares: [{ windowMs: 60_000 }, { windowMs: 300_000 }],
    });
    const [short] = observation.badShares;
    expect(short!.reading).toMatchObject({ kind: 'value', value: expect.closeTo(0.4) });
    // Linear between the bounds of 2 s and 2.5 s, of which the last quarter of the answers is in.
    expect(observation.serviceP95Ms).toMatchObject({ kind: 'value', value: expect.closeTo(2_400) });
    expect(about).toEqual({
      ageMs: 0,
      scrapeIntervalMs: 1_000,
      isTooCoarse: false,
      boundMs: 2_000,
      trouble: undefined,
    });
  });

  it('is no rate before the window has passed', async () => {
    await world.pass(5);
    expect((await world.measure()).observation.arrivalRates[0]!.reading).toEqual({ kind: 'empty' });
    await world.pass(7);
    const { observation, trouble } = await world.measure();
    expect(observation.arrivalRates.map(({ reading }) => reading)).toEqual([value(10), { kind: 'empty' }]);
    expect(trouble).toBe('too few samples for the last 60 s');
  });

  it('goes on counting where a proxy was restarted', async () => {
    await world.pass(65);
    world.proxies.set('proxy-a', newProxy());
    await world.pass(5);
    const { observation } = await world.measure();
    expect(observation.arrivalRates.map(({ reading }) => reading)).toEqual([value(10), value(10)]);
  });

  it('begins anew where it has another objective', async () => {
    await world.pass(65);
    world.proxies.set('proxy-a', newProxy(1));
    await world.pass(5);
    expect((await world.measure()).observation.arrivalRates[1]!.reading).toEqual({ kind: 'empty' });
    await world.pass(60);
    expect((await world.measure()).observation.arrivalRates[1]!.reading).toEqual(value(10));
  });

  it('is not a number where nothing ended', async () => {
    await world.pass(70, 0);
    const { observation } = await world.measure();
    expect(observation.arrivalRates[1]!.reading).toEqual(value(0));
    expect(observation.badShares[0]!.reading).toEqual({ kind: 'nan' });
    expect([observation.serviceMs, observation.serviceP95Ms]).toEqual([{ kind: 'nan' }, { kind: 'nan' }]);
  });

  it('is kept no longer than it is asked for', async () => {
    await world.pass(400);
    await world.measure();
    await world.pass(5);
    expect((await world.measure()).observation.badShares[1]!.reading).toMatchObject({ kind: 'value' });
  });
});

describe('processes that do not answer', () => {
  it('a proxy: arrivals are not known after three scrapes, and after 15 s nothing is', async () => {
    await world.pass(70);
    world.proxies.set('proxy-a', new Error('no answer within 1000 ms'));
    await world.pass(3);
    expect((await world.measure()).observation.arrivalRates[0]!.reading.kind).toBe('value');
    await world.pass(2);
    const { observation, trouble } = await world.measure();
    expect(observation.arrivalRates[0]!.reading.kind).toBe('failed');
    expect(trouble).toContain('proxy proxy-a (no answer within 1000 ms) cannot be scraped');
    await world.pass(12);
    expect((await world.measure()).observation.waiting).toMatchObject({ kind: 'stale', ageMs: 17_000 });
  });

  it('a proxy that is not there any more is not missed', async () => {
    const second = newProxy();
    world.proxies.set('proxy-b', second);
    await world.pass(70);
    await world.pass(10, 10, second);
    world.proxies.delete('proxy-b');
    await world.pass(5);
    const { observation, trouble } = await world.measure();
    expect(trouble).toBe(undefined);
    // In the last minute the one had requests for fifty seconds, and the other for ten.
    expect(observation.arrivalRates[1]!.reading).toMatchObject({ kind: 'value', value: expect.closeTo(10) });
    expect(observation.waiting).toEqual(value(3 + 2));
  });

  it('pods: busy where one is silent, unknown where most are', async () => {
    await world.pass(70);
    await world.measure();
    world.pods.set('rag-1', new Error('gone'));
    await world.pass(5);
    expect((await world.measure()).observation.running).toEqual(value(5 + 8));
    world.pods.set('rag-2', new Error('gone'));
    await world.pass(5);
    const { observation, trouble } = await world.measure();
    expect(observation).toMatchObject({
      running: { kind: 'empty' },
      slots: { kind: 'empty' },
      waiting: { kind: 'empty' },
    });
    expect(trouble).toContain('2 of 2 ready pods have no metrics (rag-1, rag-2)');
  });

  it('a text that is none is no answer', async () => {
    await world.pass(70);
    world.proxies.set('proxy-a', { render: async () => 'hello' } as unknown as ProxyMetrics);
    await world.pass(5);
    expect((await world.measure()).trouble).toContain('proxy proxy-a (line 1 of 1 is no sample)');
  });
});
