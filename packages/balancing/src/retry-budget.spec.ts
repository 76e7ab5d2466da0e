import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

/** How many are granted in a row. */
function drain(budget: RetryBudget, now: number): number {
  let granted = 0;
  while (budget.tryRetry(now)) granted += 1;
  return granted;
}

describe('a budget of retries', () => {
  it('has the reserve of the window without any request', () => {
    expect(drain(new RetryBudget(), 0)).toBe(100);
  });

  it('has a share of the requests', () => {
    const budget = new RetryBudget({ minPerSecond: 0 });
    for (let i = 0; i < 50; i++) budget.requested(100);
    expect(drain(budget, 100)).toBe(10);
  });

  it('is whole again after a window, and does not save up more', () => {
    const budget = new RetryBudget({ share: 0, minPerSecond: 1 });
    expect([drain(budget, 500), drain(budget, 9_500), drain(budget, 10_999)]).toEqual([10, 0, 0]);
    expect(drain(budget, 11_000)).toBe(10);
    expect(drain(budget, 3_600_000)).toBe(10);
  });

  it('forgets requests with the window', () => {
    const budget = new RetryBudget({ minPerSecond: 0 });
    for (let i = 0; i < 50; i++) budget.requested(0);
    expect(budget.tryRetry(9_999)).toBe(true);
    expect(budget.tryRetry(10_000)).toBe(false);
  });

  it('settles at nearly its share', () => {
    const budget = new RetryBudget({ minPerSecond: 0 });
    let granted = 0;
    for (let now = 0; now < 60_000; now += 10) {
      budget.requested(now);
      if (budget.tryRetry(now)) granted += 1;
    }
    expect(granted / 6_000).toBeGreaterThan(0.17);
    expect(granted / 6_000).toBeLessThanOrEqual(0.2);
  });

  it('grants nothing more to a clock that goes back', () => {
    const budget = new RetryBudget({ share: 0, minPerSecond: 1 });
    drain(budget, 50_000);
    expect(drain(budget, 17_000)).toBe(0);
    expect(drain(budget, 50_000)).toBe(0);
  });

  it('never grants more in a window than its share and its reserve', () => {
    const event = fc.record({ after: fc.oneof(fc.nat(30), fc.nat(3_000)), requests: fc.nat(20), tries: fc.nat(20) });
    const settings = fc.record({
      share: fc.constantFrom(0, 0.1, 0.2, 1),
      minPerSecond: fc.constantFrom(0, 0.5, 2),
      windowMs: fc.constantFrom(1_000, 3_000, 10_000),
    });
    fc.assert(
      fc.property(settings, fc.array(event, { maxLength: 80 }), ({ share, minPerSecond, windowMs }, events) => {
        const budget = new RetryBudget({ share, minPerSecond, windowMs });
        const requests: number[] = [];
        const retries: number[] = [];
        let now = 0;
        for (const event of events) {
          now += event.after;
          for (let i = 0; i < event.requests; i++) budget.requested(now);
          requests.push(...Array<number>(event.requests).fill(now));
          for (let i = 0; i < event.tries; i++) if (budget.tryRetry(now)) retries.push(now);
          if (retries.at(-1) !== now) continue;
          const inWindow = (at: number) => at > now - windowMs;
          const most = share * requests.filter(inWindow).length + (minPerSecond * windowMs) / 1_000;
          expect(retries.filter(inWindow).length).toBeLessThanOrEqual(most + 1e-9);
        }
      }),
    );
  });
});
