import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { extentOf, readSettings } from './settings.ts';

describe('settings', () => {
  it('are those of the first measurements of this kind, where nothing is said', () => {
    expect(readSettings({}, 'poisson')).toMatchObject({
      target: 'http://localhost:9000',
      name: 'localhost:9000',
      rates: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60],
      requests: 1_000,
      seed: 42,
      streams: false,
      objectiveMs: 2_000,
      out: 'ragscale-poisson',
    });
  });

  it.each([
    ['original', 'http://localhost:8000'],
    ['load_balancer_round_robin', 'http://localhost:9000'],
    ['https://rag.example:8443/', 'https://rag.example:8443'],
  ])('name a target: %s', (given, target) => {
    expect(readSettings({ TARGET: given }, 'x').target).toBe(target);
  });

  it('are read from the variables', () => {
    const settings = readSettings(
      {
        RATES: '0.5, 2',
        REQUESTS: '7',
        MINUTES: '1.5',
        STREAM: '1',
        OBJECTIVE: '300ms',
        DEADLINE: '2m',
        OUT: 'a/b.html',
        NAME: 'x y',
      },
      'x',
    );
    expect(settings).toMatchObject({
      rates: [0.5, 2],
      streams: true,
      objectiveMs: 300,
      deadlineMs: 120_000,
      out: 'a/b',
      name: 'x y',
    });
    expect(extentOf(settings)).toEqual({ durationMs: 90_000 });
    expect(extentOf(readSettings({ REQUESTS: '7' }, 'x'))).toEqual({ requests: 7 });
    expect(readSettings({ OUT: 'none' }, 'x').out).toBeUndefined();
  });

  it('that are wrong are all named', () => {
    const wrong = {
      TARGET: 'localhost',
      RATES: '5,fast',
      REQUESTS: '1.5',
      SEED: '-1',
      STREAM: 'yes',
      OBJECTIVE: '2',
      MINUTES: 'x',
      VUS: '0',
      LAG: '',
    };
    const { LAG, ...named } = wrong;
    expect(LAG).toBe('');
    let message = '';
    try {
      readSettings(wrong, 'x');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.split('; ').map((part) => part.split('=')[0])).toEqual(expect.arrayContaining(Object.keys(named)));
    expect(message.split('; ')).toHaveLength(Object.keys(named).length);
  });
});

test('docs/loadtest.md has every setting, and none that there is not', () => {
  const asked = new Set<string>();
  const env = new Proxy({} as Record<string, string>, {
    get: (_, name) => {
      asked.add(String(name));
      return undefined;
    },
  });
  readSettings(env, 'x');
  const page = readFileSync(new URL('../../docs/loadtest.md', import.meta.url), 'utf8');
  const named = [...page.matchAll(/`([A-Z][A-Z_]+)(?:=[^`]*)?`/g)].map((match) => match[1]!);
  expect(asked.size).toBeGreaterThan(20);
  expect([...asked].filter((name) => !named.includes(name))).toEqual([]);
  expect(named.filter((name) => !asked.has(name))).toEqual([]);
});
