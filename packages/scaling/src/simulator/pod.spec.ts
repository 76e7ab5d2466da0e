import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pod } from './pod.ts';
import { progressRates } from './service-curve.ts';

/** Two at once are done with half as much again in the same time. */
const RATES = progressRates(
  [
    [1, 1],
    [2, 1.5],
  ],
  2,
);
const pod = (slowdown = 1) => new Pod({ id: 0, createdAt: 0, rates: RATES, slowdown, proxies: 1 });

describe('a pod', () => {
  it('works on what comes as a person would reckon', () => {
    const one = pod();
    const works = Float64Array.of(300, 600, 300);
    expect(one.accept(0, works[0]!, 0)).toBe(true);
    expect(one.nextDoneAt()).toBe(300);
    // At 150 ms half is done; from then on both get 3/4: the first needs 200 ms more.
    expect(one.accept(1, works[1]!, 150)).toBe(true);
    expect(one.nextDoneAt()).toBe(350);
    expect(one.accept(2, works[2]!, 200)).toBe(false);
    expect([one.running, one.waiting]).toEqual([2, 1]);
    expect(one.finish(350)).toBe(0);
    expect(one.startNext(works, 350)).toBe(2);
    // The second has had 150 of 600 ms, the third begins: 300 by 3/4 is 400 ms more.
    expect(one.nextDoneAt()).toBe(750);
    expect(one.finish(750)).toBe(2);
    expect(one.startNext(works, 750)).toBe(-1);
    // Of the second 150 ms are left, and it is alone again.
    expect(one.nextDoneAt()).toBe(900);
    expect(one.finish(900)).toBe(1);
    expect([one.isIdle, one.nextDoneAt()]).toEqual([true, Number.POSITIVE_INFINITY]);
  });

  it('takes longer for all where it is slow', () => {
    const slow = pod(3);
    slow.accept(0, 100, 0);
    expect(slow.nextDoneAt()).toBe(300);
  });

  it('loses all that it has when it dies', () => {
    const one = pod();
    for (const request of [4, 5, 6, 7]) one.accept(request, 100, 0);
    one.inFlight[0] = 4;
    expect(one.lose(50)).toEqual([4, 5, 6, 7]);
    expect([one.isIdle, one.inFlight[0], one.version]).toEqual([true, 0, 1]);
    one.accept(8, 100, 60);
    expect(one.nextDoneAt()).toBe(160);
  });

  it('gives in sum exactly what the requests need', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const one = pod();
        const works = Float64Array.from(sizes);
        works.forEach((work, request) => {
          one.accept(request, work, 0);
        });
        let [now, given] = [0, 0];
        for (let left = sizes.length; left > 0; left--) {
          const at = one.nextDoneAt();
          given += (at - now) * (one.running === 2 ? 1.5 : 1);
          now = at;
          one.finish(now);
          one.startNext(works, now);
        }
        expect(given).toBeCloseTo(
          sizes.reduce((sum, size) => sum + size, 0),
          6,
        );
      }),
    );
  });
});
