import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

it('an hour of five requests a second unless told otherwise', () => {
  expect(readOptions([], 'there')).toEqual({ minutes: 60, seed: 1, rate: 5, local: false, out: 'there' });
  expect(readOptions(['--minutes', '2', '--seed=7', '--rate', '0.5', '--local', '--out', 'here'], 'there')).toEqual({
    minutes: 2,
    seed: 7,
    rate: 0.5,
    local: true,
    out: 'here',
  });
});

it.each([
  [['--minutes', '0'], '--minutes: a number from 1 to 10000'],
  [['--minutes', 'ten'], '--minutes: a number from 1 to 10000'],
  [['--seed', '1.5'], '--seed: an integer from 0 to 2147483648'],
  [['--rate='], '--rate: a number from 0.1 to 1000'],
])('%s is refused by name', (args, message) => {
  expect(() => readOptions(args, 'there')).toThrow(message);
});

it('what is not known is refused', () => {
  expect(() => readOptions(['--minute', '2'], 'there')).toThrow(/--minute/);
  expect(() => readOptions(['2'], 'there')).toThrow(/2/);
});
