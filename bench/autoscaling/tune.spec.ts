import type { Turned } from '@ragscale/scaling/competitors/competitor';
import { describe, expect, it } from 'vitest';
import { isBetter, search } from './search.ts';
import { together } from './tune.ts';

const score = (violationShare: number, replicaSeconds: number) => ({ violationShare, replicaSeconds });

describe('tuning', () => {
  it('takes the cheapest of those that fail few, else the one that fails the fewest', () => {
    expect(isBetter(score(0.004, 10), score(0.001, 11))).toBe(true);
    expect(isBetter(score(0.004, 11), score(0.001, 10))).toBe(false);
    expect(isBetter(score(0.005, 99), score(0.0051, 1))).toBe(true);
    expect(isBetter(score(0.02, 99), score(0.03, 1))).toBe(true);
    expect(isBetter(score(0.03, 1), score(0.02, 99))).toBe(false);
  });

  it('counts every request once, whichever load it belongs to', () => {
    const runs = [
      { requests: 100, violationShare: 0.5, replicaSeconds: 3 },
      { requests: 900, violationShare: 0, replicaSeconds: 4 },
    ];
    expect(together(runs)).toEqual(score(0.05, 7));
    expect(together([])).toEqual(score(0, 0));
  });
});

describe('the search', () => {
  const tries = Array.from({ length: 20 }, (_, index) => index + 1);
  const knobs = {
    share: { about: '', tries },
    window: { about: '', tries: [1, 2, 3, 4, 5] },
    delay: { about: '', tries: [1, 2, 3, 4, 5] },
  };
  /** Cheaper the larger the share; how large it may be depends on the others. */
  const at = ({ share = 10, window = 1, delay = 1 }: Turned) => {
    const most = 15 - Math.abs(Number(window) - 4) - Math.abs(Number(delay) - 3);
    return score(Number(share) <= most ? 0.004 : 0.02 * Number(share), 100 - Number(share));
  };

  it('finds the best with far fewer trials than there are settings', () => {
    const judged = new Set<string>();
    const glances = new Set<string>();
    const best = search(knobs, {
      glance: (turned) => {
        glances.add(JSON.stringify(turned));
        return at(turned);
      },
      judge: (turned) => {
        judged.add(JSON.stringify(turned));
        return at(turned);
      },
    });
    expect(best).toEqual({ turned: { share: 15, window: 4, delay: 3 }, score: score(0.004, 85) });
    expect(glances.size).toBeLessThan(100);
    expect(judged.size).toBeLessThan(15);
  });

  it('is a step more careful where the other seeds fail more than the first', () => {
    const best = search(
      { share: { about: '', tries } },
      {
        glance: at,
        judge: (turned) => at({ ...turned, share: Number(turned.share) + 3 }),
      },
    );
    expect(best.turned).toEqual({ share: 7 });
  });

  it('takes what fails the fewest where everything fails many', () => {
    const hopeless = (turned: Turned) => score(0.01 * Number(turned.share ?? 10), 1);
    expect(search(knobs, { glance: hopeless, judge: hopeless }).turned.share).toBe(1);
  });
});
