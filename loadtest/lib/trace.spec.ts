import { parseTrace as parseTraceOfSimulator } from '@ragscale/scaling/arrivals/trace';
import { describe, expect, it, test } from 'vitest';
import { parseTrace, squeezed } from './trace.ts';

const AZURE = `TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:51.9951690,396,0
2023-11-16 18:15:50.9951690,879,55
`;

describe('a trace', () => {
  it('has times from the first request on, in order, and sizes', () => {
    const { timesMs, sizes } = parseTrace(AZURE);
    expect(timesMs.map((at) => Math.round(at))).toEqual([0, 4_315, 5_315]);
    expect(sizes).toEqual([
      { promptTokens: 374, maxTokens: 44 },
      { promptTokens: 879, maxTokens: 55 },
      { promptTokens: 396, maxTokens: 1 },
    ]);
  });

  it.each([
    ['of Azure', AZURE],
    ['with a column more', 'id,TIMESTAMP\n1,2024-05-01T12:00:00Z\n2,2024-05-01T14:00:03.5+02:00\n'],
    ['of seconds alone', '0\n1.5\n1.25\n'],
    ['with quotes, a mark of byte order and other line ends', '\uFEFF"TIMESTAMP","x"\r\n"3",a\r\n"4",b\r\n\r\n'],
  ])('has the times that the simulator reads: %s', (_, csv) => {
    expect(parseTrace(csv).timesMs).toEqual([...parseTraceOfSimulator(csv).timesMs]);
  });

  it('without sizes has none', () => {
    expect(parseTrace('TIMESTAMP\n1\n2\n').sizes).toEqual([]);
  });

  it.each([
    ['TIMESTAMP\n1\nnever\n', 'line 3: "never" is no time'],
    ['TIMESTAMP,GeneratedTokens\n1,2\n3\n', 'line 3: 1 cells where line 1 has 2'],
    ['TIMESTAMP,GeneratedTokens\n1,some\n', 'line 2: "some" is no number of tokens'],
    ['TIMESTAMP\n', 'no request'],
    ['', 'no request'],
  ])('that is wrong is refused by line: %j', (csv, message) => {
    expect(() => parseTrace(csv)).toThrow(message);
  });
});

test('a trace is squeezed without changing what it is', () => {
  const trace = parseTrace('0\n10\n40\n');
  expect(squeezed(trace, 4_000).timesMs).toEqual([0, 1_000, 4_000]);
  expect(squeezed(parseTrace('7\n'), 4_000).timesMs).toEqual([0]);
});
