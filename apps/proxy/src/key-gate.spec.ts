import { type ApiKeys, newApiKey, parseApiKeys } from '@ragscale/service/api-keys';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyGate } from './key-gate.ts';

const [one, two] = [newApiKey(), newApiKey()];

let keys: ApiKeys;
let proxies: number;
let gate: KeyGate;

beforeEach(() => {
  proxies = 1;
  gate = new KeyGate({ keys: () => keys, proxies: () => proxies });
});

/** The holder, or the error. */
function ask(key: string, now: number): string | ServiceError {
  try {
    return gate.admit(`Bearer ${key}`, now);
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

/** How many of `count` requests at `now` come in. */
function admitted(count: number, now: number, key = one.key): number {
  return Array.from({ length: count }, () => ask(key, now)).filter((answer) => answer === 'a').length;
}

describe('the gate', () => {
  it('names the holder of a key, and asks for one in the way of HTTP', () => {
    keys = parseApiKeys(`a ${one.hash}`);
    expect(ask(one.key, 0)).toBe('a');
    expect(ask(two.key, 0)).toMatchObject({
      code: 'invalid_api_key',
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(() => gate.admit(undefined, 0)).toThrow(ServiceError);
  });

  it('knows no limit where none is set', () => {
    keys = parseApiKeys(`a ${one.hash}`);
    expect(admitted(10_000, 0)).toBe(10_000);
  });

  it('keeps a rate, says when the next may come, and counts both keys of a name together', () => {
    keys = parseApiKeys(`a ${one.hash} rate=0.1 burst=3\na ${two.hash}`);
    expect(admitted(2, 0)).toBe(2);
    expect(admitted(2, 0, two.key)).toBe(1);
    expect(ask(one.key, 1_000)).toMatchObject({
      code: 'rate_limit_exceeded',
      status: 429,
      message: expect.stringContaining(' 0.1 requests a second'),
      headers: { 'retry-after': '9' },
    });
    expect(ask(one.key, 10_000)).toBe('a');
  });

  it('takes one second of the rate for the burst', () => {
    keys = parseApiKeys(`a ${one.hash} rate=7`);
    expect(admitted(20, 0)).toBe(7);
  });

  it('does not let one holder use up what another may', () => {
    keys = parseApiKeys(`b ${two.hash} rate=1\na ${one.hash} rate=1`);
    expect([ask(two.key, 0), ask(one.key, 0)]).toEqual(['b', 'a']);
  });
});

describe('with several proxies', () => {
  it('each allows its share, and one at once at least', () => {
    keys = parseApiKeys(`a ${one.hash} rate=10 burst=8`);
    proxies = 4;
    expect(admitted(20, 0)).toBe(2);
    expect(admitted(20, 400)).toBe(1);
    keys = parseApiKeys(`a ${one.hash} rate=0.4`);
    gate = new KeyGate({ keys: () => keys, proxies: () => proxies });
    expect([admitted(3, 0), admitted(3, 9_900), admitted(3, 10_000)]).toEqual([1, 0, 1]);
  });

  it('follows their number, with no gift for a change', () => {
    keys = parseApiKeys(`a ${one.hash} rate=10`);
    proxies = 2;
    expect(admitted(20, 0)).toBe(5);
    proxies = 1;
    expect(admitted(20, 0)).toBe(0);
    expect(admitted(20, 500)).toBe(5);
    // A proxy that does not know yet of how many it is one.
    proxies = 0;
    expect(admitted(20, 1_000)).toBe(5);
  });
});

describe('when the keys change', () => {
  it('follows rates, with no gift', () => {
    keys = parseApiKeys(`a ${one.hash} rate=10`);
    expect(admitted(20, 0)).toBe(10);
    keys = parseApiKeys(`a ${one.hash} rate=20`);
    expect(admitted(20, 0)).toBe(0);
    expect(admitted(30, 1_000)).toBe(20);
    keys = parseApiKeys(`a ${one.hash}`);
    expect(admitted(100, 1_000)).toBe(100);
  });

  it('forgets who is gone', () => {
    keys = parseApiKeys(`a ${one.hash} rate=2`);
    expect(admitted(3, 0)).toBe(2);
    keys = parseApiKeys(`b ${two.hash}`);
    expect(ask(one.key, 0)).toMatchObject({ code: 'invalid_api_key' });
    keys = parseApiKeys(`a ${one.hash} rate=2`);
    expect(admitted(3, 0)).toBe(2);
  });
});
