import { describe, expect, it } from 'vitest';
import { durationMs, durationText } from './durations.ts';

describe('durationMs', () => {
  it.each([
    ['2s', 2_000],
    ['300ms', 300],
    ['1m30s', 90_000],
    ['0.1s', 100],
    ['1.5h', 5_400_000],
    ['1h1m1s1ms', 3_661_001],
    ['0s', 0],
  ])('reads %s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', '2', 's', '-2s', '2 s', '2d', '2us', '.5s', '1s ', 'PT2S', '2S'])('does not take "%s"', (text) => {
    expect(durationMs(text)).toBeUndefined();
  });
});

describe('durationText', () => {
  it.each([
    [0, '0ms'],
    [300, '300ms'],
    [0.5, '0.5ms'],
    [1_500, '1.5s'],
    [2_000, '2s'],
    [90_000, '90s'],
    [300_000, '5m'],
    [7_200_000, '2h'],
  ])('%d ms as %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
    expect(durationMs(text)).toBe(ms);
  });
});
