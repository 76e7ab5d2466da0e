import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pods } from '../test/pod.ts';
import { TurnCredits } from './turn-credits.ts';

describe('credits for turns', () => {
  it('give a tenth each tenth turn', () => {
    const credits = new TurnCredits();
    const taken = Array.from({ length: 30 }, () => credits.takesTurn('a', 0.1));
    expect(taken.flatMap((takes, i) => (takes ? [i + 1] : []))).toEqual([10, 20, 30]);
  });

  it('give as many turns as the shares sum to, within one, however the shares change', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 0.999, noNaN: true }), { maxLength: 300 }), (shares) => {
        const credits = new TurnCredits();
        let due = 0;
        let taken = 0;
        for (const share of shares) {
          due += share;
          if (credits.takesTurn('a', share)) taken += 1;
          expect(Math.abs(due - taken)).toBeLessThan(1 + 1e-6);
        }
      }),
    );
  });

  it('are kept for nobody who takes every turn', () => {
    const credits = new TurnCredits();
    credits.takesTurn('a', 0.5);
    expect(credits.size).toBe(1);
    expect(credits.takesTurn('a', 1)).toBe(true);
    expect(credits.size).toBe(0);
  });

  it('are forgotten with those that have gone', () => {
    const credits = new TurnCredits();
    for (let i = 0; i < 300; i++) credits.takesTurn(`gone${i}`, 0.5);
    credits.takesTurn('p01', 0.5);
    credits.prune(pods(2));
    expect(credits.size).toBe(1);
    expect(credits.takesTurn('p01', 0.5)).toBe(true);
  });

  it('are kept for those that a list leaves out for once', () => {
    const credits = new TurnCredits();
    for (const { id } of pods(9)) credits.takesTurn(id, 0.5);
    credits.prune(pods(2));
    expect(credits.takesTurn('p08', 0.5)).toBe(true);
  });
});
