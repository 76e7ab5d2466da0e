import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../simulator/random.ts';
import { countsByInterval, meanRate } from './arrivals.ts';
import { poissonArrivals } from './poisson.ts';
import { parseTrace, repeatTrace, scaleTrace } from './trace.ts';

describe('a trace file', () => {
  it('gives times from the first on, and tokens where it has them', () => {
    const { timesMs, tokens, durationMs } = parseTrace(
      'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,396,109\n',
    );
    expect([...timesMs].map((ms) => ms.toFixed(3))).toEqual(['0.000', '4314.579']);
    expect([...tokens!]).toEqual([44, 109]);
    expect(durationMs).toBeCloseTo(1.5 * 4314.579, 3);
  });

  it.each([
    ['TIMESTAMP\n2023-11-16T18:15:46Z\n2023-11-16T19:15:47.5+01:00', 1_500],
    ['timestamp\r\n100.25\r\n101\r\n\r\n', 750],
    ['"TIMESTAMP","a"\n"2024-02-28 23:59:59","x"\n"2024-02-29 00:00:00","y"', 1_000],
    ['TIMESTAMP\n7\n5', 2_000],
    ['at,who\n3,a\n4.5,b', 1_500],
    ['who,Timestamp\na,3\nb,4.5', 1_500],
    ['1700000000.5\n1700000003\n', 2_500],
    ['2023-11-16T18:15:46Z,1\n2023-11-16T18:15:47Z,2', 1_000],
  ])('takes the usual ways to write times: %j', (csv, lastMs) => {
    const { timesMs, tokens } = parseTrace(csv);
    expect([timesMs[0], timesMs.at(-1), tokens]).toEqual([0, lastMs, undefined]);
  });

  it.each([
    ['', 'line 1: nothing; write a header such as TIMESTAMP,GeneratedTokens'],
    ['1700000000500\n1700000003000', 'line 1: 1700000000500 is too large for seconds; write 1700000000.5'],
    ['who,when\nme,3', 'line 2: "me" is no time; write 2023-11-16 18:15:46.680 or seconds'],
    ['TIMESTAMP\n', 'line 2: no request; write one line for each'],
    ['TIMESTAMP\n1\nyesterday', 'line 3: "yesterday" is no time; write 2023-11-16 18:15:46.680 or seconds'],
    ['TIMESTAMP\n1\n\n2', 'line 3: "" is no time'],
    ['TIMESTAMP,GeneratedTokens\n1,2\n1', 'line 3: 1 cells where line 1 has 2; write as many'],
    ['TIMESTAMP,GeneratedTokens\n1,many', 'line 2: "many" is no number of tokens; write one from 0 on'],
    ['TIMESTAMP,GeneratedTokens\n1,', 'line 2: "" is no number of tokens'],
    ['TIMESTAMP\n2023-13-45 00:00:00', 'line 2: "2023-13-45 00:00:00" is no time'],
  ])('that is wrong is refused by its line: %j', (csv, message) => {
    expect(() => parseTrace(csv)).toThrow(message);
  });
});

describe('another rate', () => {
  const load = poissonArrivals({ rate: 5, durationMs: 200_000 }, seededRandom(1));

  it('is the same load as often as asked, at the same times', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 6, noNaN: true }), fc.nat(10_000), fc.nat(), (factor, jitterMs, seed) => {
        const scaled = scaleTrace(load, { factor, jitterMs }, seededRandom(seed));
        expect(scaled.timesMs.length / load.timesMs.length / factor).toBeCloseTo(1, 0);
        expect(scaled.timesMs.toSorted()).toEqual(scaled.timesMs);
        expect(scaled.timesMs[0]).toBeGreaterThanOrEqual(0);
        expect(scaled.timesMs.at(-1)).toBeLessThan(load.durationMs);
      }),
      { numRuns: 50 },
    );
  });

  it('of 1 is the trace itself', () => {
    expect(scaleTrace(load, { factor: 1, jitterMs: 5_000 }, seededRandom(1))).toEqual(load);
  });

  it('copies tokens with their requests', () => {
    const two = { timesMs: Float64Array.of(0, 10), durationMs: 20, tokens: Float64Array.of(7, 9) };
    const { timesMs, tokens } = scaleTrace(two, { factor: 2, jitterMs: 0 }, seededRandom(1));
    expect([[...timesMs], [...tokens!]]).toEqual([
      [0, 0, 10, 10],
      [7, 7, 9, 9],
    ]);
  });

  it('repeats a trace until a day is full', () => {
    const day = repeatTrace({ timesMs: Float64Array.of(1, 5), durationMs: 10, tokens: Float64Array.of(3, 4) }, 23);
    expect([[...day.timesMs], [...day.tokens!], day.durationMs]).toEqual([[1, 5, 11, 15, 21], [3, 4, 3, 4, 3], 23]);
  });
});

describe('what is told of a load', () => {
  const load = { timesMs: Float64Array.of(0, 1, 999, 1_000, 2_400), durationMs: 2_500 };

  it('is its rate, and how many come when', () => {
    expect(meanRate(load)).toBe(2);
    expect([...countsByInterval(load, 1_000)]).toEqual([3, 1, 1]);
  });
});
