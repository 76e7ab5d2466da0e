import { describe, expect, it } from 'vitest';
import { failsOpen } from './fail-open.ts';

describe('failing open', () => {
  it.each([
    { able: 10, possible: 10, opens: false },
    { able: 5, possible: 10, opens: false },
    { able: 4, possible: 10, opens: true },
    { able: 1, possible: 2, opens: false },
    { able: 0, possible: 1, opens: true },
    { able: 0, possible: 0, opens: false },
  ])('with $able able of $possible: $opens', ({ able, possible, opens }) => {
    expect(failsOpen(able, possible)).toBe(opens);
  });

  it('has a threshold', () => {
    expect(failsOpen(8, 10, 0.9)).toBe(true);
    expect(failsOpen(9, 10, 0.9)).toBe(false);
    expect(failsOpen(0, 10, 0)).toBe(false);
  });
});
