import { describe, expect, it } from 'vitest';
import { capOf } from './fair-share.ts';

describe('the cap of a pod', () => {
  it.each([
    { slots: 1, proxies: 1, cap: 2 },
    { slots: 8, proxies: 1, cap: 9 },
    { slots: 8, proxies: 3, cap: 4 },
    { slots: 1, proxies: 3, cap: 2 },
    { slots: 8, proxies: 0, cap: 9 },
  ])('with $slots slots for $proxies proxies is $cap', ({ slots, proxies, cap }) => {
    expect(capOf({ configured: undefined, slots, proxies })).toBe(cap);
  });

  it('is what is configured, whatever the pod announces', () => {
    expect(capOf({ configured: 3, slots: 64, proxies: 1 })).toBe(3);
    expect(capOf({ configured: 3, slots: undefined, proxies: 2 })).toBe(3);
  });

  it('is 128 where nothing is known', () => {
    expect(capOf({ configured: undefined, slots: undefined, proxies: 2 })).toBe(128);
  });
});
