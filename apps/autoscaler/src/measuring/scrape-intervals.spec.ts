import { describe, expect, it } from 'vitest';
import { COUNTED_OVER_MS, ScrapeIntervals } from './scrape-intervals.ts';

/** Scrapes of one proxy, as queries see them. */
class Scrapes {
  readonly #times: number[] = [];

  every(intervalMs: number, fromMs: number, toMs: number): this {
    for (let at = fromMs; at < toMs; at += intervalMs) this.#times.push(at);
    return this;
  }

  seenAt(now: number) {
    const within = this.#times.filter((at) => at <= now && at > now - COUNTED_OVER_MS);
    return within.length === 0 ? undefined : { samples: within.length, newestAt: within.at(-1)! };
  }
}

/** What is known after each round, every 5 s. */
function knownBy(scrapes: Scrapes, fromMs: number, toMs: number): (number | undefined)[] {
  const intervals = new ScrapeIntervals();
  const known: (number | undefined)[] = [];
  for (let now = fromMs; now <= toMs; now += 5_000) {
    const sighting = scrapes.seenAt(now);
    if (sighting !== undefined) intervals.observe('proxy', sighting, now);
    known.push(intervals.longestOf(['proxy']));
  }
  return known;
}

const HOUR = 3_600_000;

describe('how often a proxy is scraped', () => {
  it.each([1_000, 2_500, 5_000, 15_000])('is known at once of what lasts: %s ms', (intervalMs) => {
    const known = knownBy(new Scrapes().every(intervalMs, 300, HOUR), 600_000, 900_000);
    for (const each of known) expect(each).toBeCloseTo(intervalMs);
  });

  it.each([30_000, 60_000])('is known after a while where there are few samples: %s ms', (intervalMs) => {
    const known = knownBy(new Scrapes().every(intervalMs, 300, HOUR), 600_000, 900_000);
    expect(known[0]).toBe(undefined);
    expect(known.at(-1)).toBeCloseTo(intervalMs);
  });

  it('is not taken to be longer because everything has just begun', () => {
    const known = knownBy(new Scrapes().every(2_500, 1_000, HOUR), 0, 300_000);
    expect(known.slice(0, 2)).toEqual([undefined, undefined]);
    for (const each of known.slice(3)) expect(each).toBeCloseTo(2_500);
  });

  it('nor because samples were lost, nor after an outage', () => {
    const lost = new ScrapeIntervals();
    const before = new Scrapes().every(2_500, 0, 600_000);
    const after = new Scrapes().every(2_500, 640_000, HOUR);
    for (let now = 300_000; now <= 900_000; now += 5_000) {
      const sighting = (now < 600_000 ? before : after).seenAt(now);
      if (sighting !== undefined && (now < 600_000 || now >= 640_000)) lost.observe('proxy', sighting, now);
      expect(lost.longestOf(['proxy'])).toBeCloseTo(2_500);
    }
    const away = knownBy(new Scrapes().every(2_500, 0, 600_000).every(2_500, 690_000, HOUR), 300_000, 900_000);
    for (const each of away) expect(each).toBeCloseTo(2_500);
  });

  it('is known soon when it has become shorter, and later when longer', () => {
    const shorter = knownBy(new Scrapes().every(15_000, 0, 600_000).every(2_500, 600_000, HOUR), 300_000, 900_000);
    expect(shorter[59]).toBeCloseTo(15_000);
    expect(shorter[66]).toBeLessThan(8_000);
    expect(shorter.at(-1)).toBeCloseTo(2_500);
    const longer = knownBy(new Scrapes().every(2_500, 0, 600_000).every(15_000, 600_000, HOUR), 300_000, 1_200_000);
    expect(longer[60 + 12]).toBeLessThan(3_000);
    expect(longer.at(-1)).toBeCloseTo(15_000);
  });

  it('is that of the proxy that is scraped least often', () => {
    const intervals = new ScrapeIntervals();
    intervals.observe('a', { samples: 48, newestAt: 0 }, 0);
    intervals.observe('b', { samples: 8, newestAt: 0 }, 0);
    expect(intervals.longestOf(['a', 'b', 'unknown'])).toBe(15_000);
    expect(intervals.longestOf(['a'])).toBe(2_500);
    expect(intervals.longestOf([])).toBe(undefined);
    intervals.forgetGone(700_000);
    expect(intervals.longestOf(['a'])).toBe(undefined);
  });
});
