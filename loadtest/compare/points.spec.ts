import { expect, test } from 'vitest';
import type { Report } from '../lib/report.ts';
import { mostPerSecond, parseReport, pointsOf } from './points.ts';
import { PUBLISHED } from './published.ts';
import { tablesOf } from './tables.ts';

const latency = { count: 3, mean: 120, p50: 100, p95: 300, p99: 400.4, max: 500, distribution: [] };

function reportOf(name: string, test: string, rates: readonly number[], lag = 3): Report {
  return {
    format: 'ragscale-loadtest/1',
    name,
    test,
    settings: { lagMs: 50 },
    generator: { late: 0, dropped: 0, lagMs: { p99: lag } },
    stages: [
      ...rates.map((rate) => ({
        rate,
        latency,
        throughput: Math.min(rate, 12.34),
        good: 3,
        outcomes: { answered: 4, refused: 4, broken: 1, failed: 1 },
      })),
      {
        rate: 99,
        latency: { ...latency, mean: null },
        throughput: 0,
        good: 0,
        outcomes: { answered: 0, refused: 0, broken: 0, failed: 0 },
      },
    ],
  } as unknown as Report;
}

const points = pointsOf([reportOf('baseline', 'poisson', [10, 20]), reportOf('other', 'poisson', [20], 80)]);

test('a point for each stage in which something was sent', () => {
  expect(points.map(({ design, rate }) => [design, rate])).toEqual([
    ['baseline', 10],
    ['baseline', 20],
    ['other', 20],
  ]);
  expect(points[0]).toEqual({
    design: 'baseline',
    test: 'poisson',
    rate: 10,
    requests: 10,
    good: 0.3,
    refused: 4,
    failed: 2,
    meanMs: 120,
    p99Ms: 400.4,
    throughput: 10,
    kept: true,
  });
  expect(mostPerSecond(points)).toEqual(
    new Map([
      ['baseline', 12.34],
      ['other', 12.34],
    ]),
  );
});

test('tables have a row for each rate and say what is not to be compared', () => {
  const cell = '120, 400; 12.3; 30.0% (4 refused, **2 failed**)';
  expect(tablesOf(points, PUBLISHED)).toBe(
    [
      'Arrivals: poisson.',
      '',
      '| requests/s | baseline: mean, p99 ms; answers/s; good | other: mean, p99 ms; answers/s; good |',
      '|---|---|---|',
      `| 10 | ${cell.replace('12.3', '10.0')} | - |`,
      `| 20 | ${cell} | ${cell} |`,
      '',
      '* baseline as published (a GPU): at most 13 answers/s, 50 ms alone',
      '',
      'Not sent as planned, so not to be compared: other (poisson).',
    ].join('\n'),
  );
});

test('a file that is no report is refused by name', () => {
  expect(() => parseReport('{', 'a.json')).toThrow('a.json is not JSON');
  expect(() => parseReport('{"stages":[]}', 'b.json')).toThrow('b.json is no report of a load test');
  expect(() => parseReport('null', 'c.json')).toThrow('c.json is no report of a load test');
  expect(parseReport(JSON.stringify(reportOf('x', 'ideal', [1])), 'd.json').name).toBe('x');
});
