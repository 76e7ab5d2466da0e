import { describe, expect, it } from 'vitest';
import { requestIdFrom } from './request-id.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('the id of a request', () => {
  it.each(['a', 'trace.1_2-Z', 'x'.repeat(128)])('keeps %s', (id) => {
    expect(requestIdFrom(id)).toBe(id);
  });

  it.each([undefined, '', 'x'.repeat(129), 'a b', 'a\nb', '<script>', 'ä', ['a', 'b']])(
    'makes a new one instead of %j',
    (given) => {
      expect(requestIdFrom(given)).toMatch(UUID);
    },
  );
});
