import { describe, expect, it } from 'vitest';
import { deadlineMs } from './deadline.ts';

const limits = { defaultMs: 60_000, minMs: 10, maxMs: 600_000 };

describe('the deadline of a request', () => {
  it.each([
    [undefined, 60_000],
    ['250', 250],
    ['1', 10],
    ['999999999999999', 600_000],
  ])('is, for %j, %d ms', (header, expected) => {
    expect(deadlineMs(header, limits)).toBe(expected);
  });

  it.each(['', '0', '-1', '1.5', '1e3', 'soon', ' 5', '1'.repeat(16), ['1', '2']])(
    'refuses %j and names the header',
    (header) => {
      expect(() => deadlineMs(header, limits)).toThrow(
        expect.objectContaining({ code: 'invalid_request', param: 'X-Request-Timeout-Ms' }),
      );
    },
  );
});
