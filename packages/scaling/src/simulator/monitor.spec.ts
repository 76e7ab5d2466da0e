import { describe, expect, it } from 'vitest';
import { BUCKET_BOUNDS } from '../observation.ts';
import { LOOKBACK_MS, type Measured, Monitor, type MonitorOptions } from './monitor.ts';
import { SimulatedProxy } from './proxy.ts';

const OBJECTIVE_MS = 2_000;
const BOUNDS_MS = BUCKET_BOUNDS.map((bound) => bound * OBJECTIVE_MS);
const OPTIONS: MonitorOptions = {
  scrapeIntervalMs: 5_000,
  queryLagMs: 0,
  arrivalWindowsMs: [10_000, 60_000],
  badShareWindowsMs: [60_000],
  outages: [],
};
const GAUGES = { waitingInProxies: 3, waitingInPods: 1, running: 5, pods: 2, slotsPerPod: 16 };
/** A proxy that gets one request a second, half of them bad, each 200 ms with a pod: of buckets, in the one from 100 to 200 ms. */
const countersAt = (seconds: number) => ({
  ...new SimulatedProxy({ index: 0, spread: 'round-robin', cap: 1, objectiveMs: OBJECTIVE_MS }).counters,
  arrivals: seconds,
  answers: seconds,
  upstreamMs: 200 * seconds,
  bucket7: seconds,
  ended: seconds,
  bad: seconds / 2,
});

/** Scrapes from 0 on until `at` and then asks. */
function measured(at: number, given: Partial<MonitorOptions> = {}, counters = countersAt): Measured {
  const options = { ...OPTIONS, ...given };
  const monitor = new Monitor(options);
  for (let now = 0; now <= at; now += options.scrapeIntervalMs) {
    for (const { kind, toMs } of options.outages) if (kind === 'lost' && toMs === now) monitor.loseData();
    monitor.scrape(now, [{ counters: counters(now / 1000), boundsMs: BOUNDS_MS }], GAUGES);
  }
  return monitor.measure(at);
}

const value = (number: number) => ({ kind: 'value', value: number });

describe('what Prometheus knows', () => {
  it('is rates over windows, and gauges as they were last', () => {
    expect(measured(120_000)).toEqual({
      // Four scrapes are 20 s: no window is shorter.
      arrivalRates: [
        { windowMs: 20_000, reading: value(1) },
        { windowMs: 60_000, reading: value(1) },
      ],
      waiting: value(4),
      running: value(5),
      completionRate: value(1),
      serviceMs: value(200),
      serviceP95Ms: value(195),
      badShares: [{ windowMs: 60_000, reading: value(0.5) }],
      slots: value(16),
    });
  });

  it('saturates where answers are slower than the last bound', () => {
    const slow = (seconds: number) => ({ ...countersAt(seconds), bucket7: seconds * 0.9 });
    expect(measured(60_000, {}, slow).serviceP95Ms).toEqual(value(60_000));
  });

  it('is nothing before the second scrape, and of a short time after it', () => {
    expect(measured(0).arrivalRates[0]!.reading).toEqual({ kind: 'empty' });
    expect(measured(5_000).arrivalRates[1]!.reading).toEqual(value(1));
  });

  it('is as old as scrapes and queries make it', () => {
    const { waiting } = measured(2_000, { queryLagMs: 2_500 });
    expect(waiting).toEqual({ kind: 'empty' });
  });

  it('sees that a counter began again', () => {
    const restarted = (seconds: number) => countersAt(seconds < 100 ? seconds : seconds - 99);
    // 55 s passed from 65 to 120 s; what was counted from 95 to 99 s is lost with the proxy.
    expect(measured(120_000, {}, restarted).arrivalRates[1]!.reading).toEqual(value((30 + 1 + 20) / 55));
  });

  it('tells 0 by 0 from nothing', () => {
    const { serviceMs, serviceP95Ms, badShares, arrivalRates } = measured(60_000, {}, () => countersAt(0));
    expect([serviceMs, serviceP95Ms, badShares[0]!.reading, arrivalRates[0]!.reading]).toEqual([
      { kind: 'nan' },
      { kind: 'nan' },
      { kind: 'nan' },
      value(0),
    ]);
  });

  it.each(['unanswered', 'down', 'lost'] as const)('fails while Prometheus is %s', (kind) => {
    const { waiting, arrivalRates, badShares, slots } = measured(60_000, {
      outages: [{ kind, fromMs: 50_000, toMs: 70_000 }],
    });
    for (const reading of [waiting, slots, arrivalRates[0]!.reading, badShares[0]!.reading]) {
      expect(reading).toEqual({ kind: 'failed' });
    }
  });

  it('is all there again after an outage, but for the gap', () => {
    const outage = { fromMs: 50_000, toMs: 100_000 };
    const after = (kind: 'unanswered' | 'down') => measured(100_000, { outages: [{ kind, ...outage }] }).arrivalRates;
    expect(after('unanswered').map(({ reading }) => reading)).toEqual([value(1), value(1)]);
    expect(after('down').map(({ reading }) => reading)).toEqual([{ kind: 'empty' }, value(1)]);
  });

  it('begins again where the database was lost: empty, then short windows', () => {
    const outages = [{ kind: 'lost' as const, fromMs: 50_000, toMs: 100_000 }];
    expect(measured(100_000, { outages }).arrivalRates[1]!.reading).toEqual({ kind: 'empty' });
    expect(measured(105_000, { outages }).arrivalRates[1]!.reading).toEqual(value(1));
  });

  it('keeps its last gauges for five minutes where nothing new is written, and they are stale then', () => {
    const outages = [{ kind: 'frozen' as const, fromMs: 100_001, toMs: 1e9 }];
    expect(measured(100_000 + LOOKBACK_MS, { outages }).waiting).toEqual(value(4));
    expect(measured(100_000 + LOOKBACK_MS, { outages }).arrivalRates[1]!.reading).toEqual({ kind: 'empty' });
    const later = measured(105_000 + LOOKBACK_MS, { outages });
    const stale = { kind: 'stale', ageMs: LOOKBACK_MS + 5_000 };
    expect([later.waiting, later.arrivalRates[0]!.reading]).toEqual([stale, stale]);
  });

  it('has no gauges at once where targets cannot be scraped, and rates until the windows run dry', () => {
    const outages = [{ kind: 'targets' as const, fromMs: 100_000, toMs: 1e9 }];
    const soon = measured(110_000, { outages });
    expect([soon.waiting, soon.arrivalRates[1]!.reading]).toEqual([{ kind: 'empty' }, value(1)]);
    expect(measured(160_000, { outages }).arrivalRates[1]!.reading).toEqual({ kind: 'empty' });
  });

  it('knows of arrivals where only the pods cannot be scraped', () => {
    const outages = [{ kind: 'pods' as const, fromMs: 100_000, toMs: 1e9 }];
    const { waiting, running, slots, arrivalRates } = measured(160_000, { outages });
    expect([waiting, running, slots]).toEqual(Array(3).fill({ kind: 'empty' }));
    expect(arrivalRates[0]!.reading).toEqual(value(1));
  });
});
