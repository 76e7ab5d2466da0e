/** What is made of Prometheus' answers, and of those that are none? */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Reading } from '@ragscale/scaling/observation';
import { createScaler } from '@ragscale/scaling/scaler';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../test/support/hand-clock.ts';
import type { Measured, MeasuredTarget } from '../src/measurements.ts';
import { PrometheusMeasurements } from '../src/measuring/prometheus-measurements.ts';
import type { Target } from '../src/target.ts';
import { calmRows, FakePrometheus, type FakeRow, type Kind } from './fake-prometheus.ts';

const PODS = ['rag-a', 'rag-b', 'rag-c'];

function targetOf(name: string, given: Partial<Target['policy']> = {}, namespace = 'ml'): Target {
  const objective = { metric: 'duration', latencyMs: 2_000, percentile: 95 } as const;
  return {
    ...{ id: `${namespace}/${name}`, namespace, name, generation: 1, route: name },
    policy: { maxReplicas: 10, objective, ...given },
  };
}

const rag: MeasuredTarget = { target: targetOf('rag'), readyPods: PODS };
const calm = calmRows([{ namespace: 'ml', route: 'rag', pods: PODS }]);

let fake: FakePrometheus;
let clock: HandClock;
let measurements: PrometheusMeasurements;
beforeEach(async () => {
  fake = await FakePrometheus.start(calm);
  clock = new HandClock();
  measurements = new PrometheusMeasurements({ url: fake.url, timeoutMs: 10_000, clock });
});
afterEach(async () => {
  await measurements.close();
  await fake[Symbol.asyncDispose]();
});

async function round(targets: readonly MeasuredTarget[] = [rag]): Promise<Measured> {
  const measured = await measurements.measure(targets, new AbortController().signal);
  await clock.advance(5_000);
  return measured.get(targets[0]!.target.id)!;
}

/** The rows of one kind are others than in the calm world. */
function change(changed: Kind, rows: (calm: readonly FakeRow[]) => readonly FakeRow[]): void {
  fake.rows = (kind, query) => (kind === changed ? rows(calm(kind, query)) : calm(kind, query));
}

function kinds({ observation }: Measured): Record<string, string> {
  const { arrivalRates, badShares, ...others } = observation;
  const all = { arrivals: arrivalRates.at(-1)!.reading, bad: badShares.at(-1)!.reading, ...others };
  return Object.fromEntries(Object.entries(all).map(([name, reading]) => [name, (reading as Reading).kind]));
}

const ALL = ['arrivals', 'bad', 'waiting', 'running', 'completionRate', 'serviceMs', 'serviceP95Ms', 'slots'];

/** All are values but those that are named. */
function but(others: Readonly<Record<string, string>>): Record<string, string> {
  return { ...Object.fromEntries(ALL.map((name) => [name, 'value'])), ...others };
}

describe('what Prometheus answers', () => {
  it('becomes readings', async () => {
    const { observation, ...about } = await round();
    const value = (number: number) => ({ kind: 'value', value: number });
    expect(observation.arrivalRates).toEqual(
      [10_000, 30_000, 60_000].map((windowMs) => ({ windowMs, reading: value(10) })),
    );
    expect(observation).toMatchObject({
      waiting: value(6),
      running: value(12),
      slots: value(16),
      completionRate: value(9.5),
      serviceMs: value(500),
      serviceP95Ms: value(800),
    });
    expect(observation.badShares.map(({ windowMs }) => windowMs)).toEqual([60_000, 300_000]);
    expect((observation.badShares[0]!.reading as { value: number }).value).toBeCloseTo(0.1);
    expect(about).toEqual({
      ageMs: 2_000,
      scrapeIntervalMs: 2_500,
      isTooCoarse: false,
      boundMs: 2_000,
      trouble: undefined,
    });
  });

  it('is asked for with POST, below the path of the URL', async () => {
    const below = new PrometheusMeasurements({ url: `${fake.url}/prometheus/`, timeoutMs: 10_000, clock });
    await below.measure([rag], new AbortController().signal);
    await below.close();
    expect([...fake.paths]).toEqual(['POST /prometheus/api/v1/query']);
  });

  it('counts by the next lower bound, and not at all where none is low enough', async () => {
    const lower = {
      ...rag,
      target: targetOf('rag', { objective: { ...rag.target.policy.objective, latencyMs: 1_500 } }),
    };
    expect((await round([lower])).boundMs).toBe(1_000);
    const lowest = {
      ...rag,
      target: targetOf('rag', { objective: { ...rag.target.policy.objective, latencyMs: 400 } }),
    };
    const measured = await round([lowest]);
    expect(kinds(measured)).toEqual(but({ bad: 'empty' }));
    expect(measured.trouble).toContain(
      'no bound of ragscale_proxy_request_duration_seconds is as low as the objective of 400 ms',
    );
  });

  it('only counts by a bound that every proxy has', async () => {
    change('bounds', (rows) => rows.map((row) => (row.labels.le === '2' ? { ...row, value: 1 } : row)));
    expect((await round()).boundMs).toBe(1_000);
  });
});

describe('four ways to have no number', () => {
  it('nothing is scraped: empty', async () => {
    fake.rows = () => [];
    const measured = await round();
    expect(new Set(Object.values(kinds(measured)))).toEqual(new Set(['empty']));
    expect(measured).toMatchObject({ ageMs: undefined, scrapeIntervalMs: undefined });
    expect(measured.trouble).toContain('there is no ragscale_proxy_waiting of the route rag with namespace="ml"');
  });

  it('nothing ended in the window: not a number', async () => {
    fake.rows = (kind, query) =>
      ['goodShare', 'serviceSeconds', 'serviceQuantileSeconds'].includes(kind)
        ? calm(kind, query).map((row) => ({ ...row, value: 'NaN' }))
        : calm(kind, query);
    expect(kinds(await round())).toEqual(but({ bad: 'nan', serviceMs: 'nan', serviceP95Ms: 'nan' }));
  });

  it.each([
    [14.9, 'value'],
    [15.1, 'stale'],
  ])('the newest sample is %s s old: %s', async (age, kind) => {
    change('sightings', (rows) => rows.map((row) => (row.labels.route ? { ...row, value: age } : row)));
    const measured = await round();
    expect(kinds(measured).arrivals).toBe(kind);
    expect(measured.ageMs).toBeCloseTo(1_000 * age);
    if (kind === 'stale') expect(new Set(Object.values(kinds(measured)))).toEqual(new Set(['stale']));
  });

  it.each(['-1', '+Inf', '-Inf'])('%s is no number of requests: failed', async (value) => {
    change('arrivals', (rows) => rows.map((row) => (row.labels.of ? row : { ...row, value })));
    expect(kinds(await round())).toEqual(but({ arrivals: 'failed', completionRate: 'failed' }));
  });

  it('a window of which samples are missing is not believed, a longer one is', async () => {
    fake.rows = (kind, query) =>
      calm(kind, query).map((row) => (row.labels.of && query.includes('[10s]') ? { ...row, value: 2 } : row));
    const { observation, trouble } = await round();
    expect(observation.arrivalRates.map(({ reading }) => reading.kind)).toEqual(['empty', 'value', 'value']);
    expect(trouble).toBe('too few samples for the arrivals of the last 10 s');
  });

  it('several series for one target without a namespace: failed', async () => {
    const local = { target: targetOf('rag', {}, ''), readyPods: [] };
    expect(kinds(await round([local]))).toMatchObject({ arrivals: 'value', waiting: 'value' });
    const rows = calmRows(['ml', 'other'].map((namespace) => ({ namespace, route: 'rag', pods: [] })));
    fake.rows = rows;
    const measured = await round([local]);
    expect(kinds(measured)).toMatchObject({
      arrivals: 'failed',
      waiting: 'failed',
      serviceMs: 'failed',
      bad: 'failed',
    });
    expect(measured.trouble).toContain('the route rag is in several namespaces: ml, other');
  });
});

describe('proxies and pods that are not scraped as they should be', () => {
  const proxy = { namespace: 'ml', route: 'rag', pod: 'proxy-1', instance: 'b', job: 'x' };

  it('a proxy that cannot be scraped: arrivals are not known', async () => {
    change('lostProxies', () => [{ labels: proxy, value: 1 }]);
    const measured = await round();
    expect(kinds(measured)).toEqual(but({ arrivals: 'failed', completionRate: 'failed' }));
    expect(measured.trouble).toBe('proxy proxy-1 cannot be scraped: how many requests arrive there is not known');
  });

  it('a proxy that two jobs scrape: nothing is believed that is a sum', async () => {
    change('scrapedTwice', () => [{ labels: { namespace: 'ml', route: 'rag', pod: 'proxy-1' }, value: 2 }]);
    const measured = await round();
    expect(kinds(measured)).toMatchObject({ arrivals: 'failed', waiting: 'failed', bad: 'failed', running: 'value' });
    expect(measured.trouble).toContain('proxy proxy-1: scraped by several jobs');
  });

  it('a pod without metrics counts as busy, and where most have none nobody knows', async () => {
    const without = (pods: readonly string[]) =>
      change('sightings', (rows) => rows.filter(({ labels }) => !pods.includes(labels.pod ?? '')));
    without(['rag-a']);
    expect((await round()).observation.running).toEqual({ kind: 'value', value: 4 + 4 + 16 });
    without(['rag-a', 'rag-b']);
    const measured = await round();
    expect(kinds(measured)).toEqual(but({ waiting: 'empty', running: 'empty', slots: 'empty' }));
    expect(measured.trouble).toBe('2 of 3 ready pods have no metrics (rag-a, rag-b)');
  });

  it('a pod that has just become ready may be without, for two scrapes and a period', async () => {
    await round([{ ...rag, readyPods: ['rag-a'] }]);
    const more = { ...rag, readyPods: ['rag-a', 'new-1', 'new-2'] };
    expect((await round([more])).observation.running).toEqual({ kind: 'value', value: 4 });
    expect((await round([more])).observation.running).toEqual({ kind: 'value', value: 4 });
    expect((await round([more])).observation.running).toEqual({ kind: 'empty' });
  });

  it('a target that is left out of a round is still known', async () => {
    await round([{ ...rag, readyPods: ['rag-a'] }]);
    await measurements.measure([], new AbortController().signal);
    const more = { ...rag, readyPods: ['rag-a', 'new-1', 'new-2'] };
    expect((await round([more])).observation.running).toEqual({ kind: 'value', value: 4 });
    await clock.advance(700_000);
    await measurements.measure([], new AbortController().signal);
    expect((await round([more])).observation.running).toEqual({ kind: 'empty' });
  });

  it('no pod at all: none is busy', async () => {
    const measured = await round([{ ...rag, readyPods: [] }]);
    expect(measured.observation).toMatchObject({
      running: { value: 0 },
      waiting: { value: 3 },
      slots: { kind: 'empty' },
    });
  });
});

describe('answers that are none', () => {
  it.each<
    [
      string,
      Parameters<NonNullable<FakePrometheus['interrupt']>>[1] extends infer R ? (response: R) => void : never,
      RegExp,
    ]
  >([
    [
      'an error of the API',
      (r) => r.writeHead(422).end('{"status":"error","errorType":"execution","error":"too many samples"}'),
      /it refuses: execution: too many samples/,
    ],
    ['a page of something else', (r) => r.end('<html>hello</html>'), /it answers with something that is no vector/],
    [
      'another type of result',
      (r) => r.end('{"status":"success","data":{"resultType":"matrix","result":[]}}'),
      /no vector of Prometheus' API \(data.resultType/,
    ],
    [
      'a number that is none',
      (r) => r.end('{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"many"]}]}}'),
      /no vector/,
    ],
    [
      'half an answer',
      (r) => {
        r.writeHead(200, { 'content-length': 100 }).write('{"status":');
        setImmediate(() => r.destroy());
      },
      /it cannot be reached: /,
    ],
    [
      'a warning that parts are missing',
      (r) => r.end('{"status":"success","warnings":["a store is away"],"data":{"resultType":"vector","result":[]}}'),
      /it warns: a store is away/,
    ],
    ['503', (r) => r.writeHead(503).end('starting'), /it answers 503/],
    ['403', (r) => r.writeHead(403).end(), /it answers 403: it wants a token/],
    [
      'a redirect',
      (r) => r.writeHead(302, { location: 'http://elsewhere/' }).end(),
      /302, and a redirect is not followed/,
    ],
    ['a broken connection', (r) => r.destroy(), /it cannot be reached: /],
  ])('%s', async (_, answer, words) => {
    fake.interrupt = (kind, response) => {
      if (kind !== 'serviceSeconds') return false;
      answer(response);
      return true;
    };
    const measured = await round();
    expect(kinds(measured)).toEqual(but({ serviceMs: 'failed' }));
    expect(measured.trouble).toMatch(words);
    expect(measured.trouble).toMatch(/^Prometheus, asked for times of service: /);
  });

  it.each<[Kind, Record<string, string>]>([
    ['arrivals', { arrivals: 'failed', completionRate: 'failed' }],
    ['lostProxies', { arrivals: 'failed', completionRate: 'failed' }],
    ['gauges', { waiting: 'failed', running: 'failed', slots: 'failed' }],
    ['goodShare', { bad: 'failed' }],
    ['completionRate', { completionRate: 'failed' }],
    ['sightings', Object.fromEntries(ALL.map((name) => [name, 'failed']))],
  ])('without an answer about %s the others count', async (missing, failed) => {
    await round();
    fake.interrupt = (kind, response) => kind === missing && response.writeHead(500).end() !== undefined;
    expect(kinds(await round())).toEqual(but(failed));
  });

  it('without the bounds no share is known, and they are asked for again', async () => {
    fake.interrupt = (kind, response) => kind === 'bounds' && response.writeHead(500).end() !== undefined;
    expect(kinds(await round())).toEqual(but({ bad: 'failed' }));
    fake.interrupt = undefined;
    expect(kinds(await round())).toEqual(but({}));
    // And then not for a while.
    const asked = fake.queries.length;
    await round();
    expect(fake.queries.slice(asked).some((query) => query.includes('status="200"'))).toBe(false);
  });

  it('no answer in time', async () => {
    const hasty = new PrometheusMeasurements({ url: fake.url, timeoutMs: 50, clock });
    fake.interrupt = () => true;
    const measured = await hasty.measure([rag], new AbortController().signal);
    await hasty.close();
    expect(measured.get('ml/rag')!.trouble).toBe('Prometheus: no answer within 50 ms');
  });

  it('a round that is ended ends', async () => {
    const controller = new AbortController();
    fake.interrupt = () => {
      controller.abort();
      return true;
    };
    const measured = await measurements.measure([rag], controller.signal);
    expect(measured.get('ml/rag')!.trouble).toBe('Prometheus: the round was ended before it answered');
  });

  it('nobody listens', async () => {
    const nobody = new PrometheusMeasurements({ url: 'http://127.0.0.1:1', timeoutMs: 10_000, clock });
    const measured = await nobody.measure([rag], new AbortController().signal);
    await nobody.close();
    expect(measured.get('ml/rag')!.trouble).toMatch(/^Prometheus: it cannot be reached: .*ECONNREFUSED/);
  });
});

describe('the token', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ragscale-token-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is read for each round, and never told', async () => {
    const tokenFile = path.join(folder, 'token');
    const bearer = new PrometheusMeasurements({ url: fake.url, timeoutMs: 10_000, clock, tokenFile });
    const trouble = async () => (await bearer.measure([rag], new AbortController().signal)).get('ml/rag')!.trouble;
    expect(await trouble()).toBe(`Prometheus: the file of the token ${tokenFile} cannot be read (ENOENT)`);
    await writeFile(tokenFile, 'secret-1\n');
    expect(await trouble()).toBe(undefined);
    expect(fake.headers.authorization).toBe('Bearer secret-1');
    await writeFile(tokenFile, 'secret-2');
    await trouble();
    expect(fake.headers.authorization).toBe('Bearer secret-2');
    await writeFile(tokenFile, 'two words');
    expect(await trouble()).toBe(`Prometheus: the file of the token ${tokenFile} holds no token`);
    await bearer.close();
  });

  it('is no part of the URL that is spoken of', async () => {
    const url = fake.url.replace('http://', 'http://me:pass%21word@');
    const basic = new PrometheusMeasurements({ url, timeoutMs: 10_000, clock });
    await basic.measure([rag], new AbortController().signal);
    await basic.close();
    expect(fake.headers.authorization).toBe(`Basic ${Buffer.from('me:pass!word').toString('base64')}`);
  });
});

describe('many targets', () => {
  it('are as many queries as one, and a decision for each', async () => {
    const single = await FakePrometheus.start(calm);
    const alone = new PrometheusMeasurements({ url: single.url, timeoutMs: 10_000, clock });
    await alone.measure([rag], new AbortController().signal);
    const targets = Array.from({ length: 500 }, (_, index) => ({
      target: targetOf(`rag-${index}`, {}, `ns-${index % 50}`),
      readyPods: PODS.map((pod) => `${pod}-${index}`),
    }));
    fake.rows = calmRows(targets.map(({ target, readyPods }) => ({ ...target, pods: readyPods })));
    const measured = await measurements.measure(targets, new AbortController().signal);
    expect(fake.queries.length).toBe(single.queries.length);
    expect(new Set(fake.queries).size).toBe(fake.queries.length);
    let decisions = 0;
    for (const { target } of targets) {
      const { observation, trouble } = measured.get(target.id)!;
      expect(trouble).toBe(undefined);
      const scaler = createScaler(target.policy, { now: 0, replicas: 3 });
      const replicas = { spec: 3, ready: 3, startingAgesMs: [] };
      const { terms } = scaler.decide({ ...observation, replicas }, 5_000);
      decisions += terms.perSecond === 10 ? 1 : 0;
    }
    expect(decisions).toBe(500);
    await alone.close();
    await single[Symbol.asyncDispose]();
  });

  it('whose owners all want other windows are not many more', async () => {
    const targets = Array.from({ length: 300 }, (_, index) => ({
      target: targetOf(`rag-${index}`, { windowsMs: [10_000 + 100 * index, 60_000 + 1_000 * index] }),
      readyPods: [],
    }));
    await measurements.measure(targets, new AbortController().signal);
    expect(fake.queries.length).toBeLessThan(80);
  });
});
