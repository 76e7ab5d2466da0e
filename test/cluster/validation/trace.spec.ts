/** Are the requests of both the recorded ones, only closer together? */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseTrace as parseForClients } from '../../../loadtest/lib/trace.ts';
import { replayOf } from './trace.ts';

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'ragscale-validation-'));
  file = path.join(folder, 'trace.csv');
  // Three minutes, and as much after the last as they are apart: four.
  writeFileSync(file, 'TIMESTAMP,GeneratedTokens\n100,10\n160,30\n220,50\n280,70\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

it('gaps are shorter, answers are as long', () => {
  const { arrivals, meanTokens, csv } = replayOf(file, 2, 2);
  expect([...arrivals.timesMs]).toEqual([0, 32_000, 64_000, 96_000]);
  expect([...arrivals.tokens!]).toEqual([10, 30, 50, 70]);
  expect(meanTokens).toBe(40);
  const { timesMs, sizes } = parseForClients(csv);
  expect(timesMs).toEqual([...arrivals.timesMs]);
  expect(sizes.map(({ maxTokens }) => maxTokens)).toEqual([...arrivals.tokens!]);
});

it('a trial has the first of them', () => {
  const { arrivals, meanTokens } = replayOf(file, 2, 1);
  expect([...arrivals.timesMs]).toEqual([0, 32_000]);
  expect(meanTokens).toBe(20);
});

it('a trace that does not say how long answers were is refused', () => {
  const bare = path.join(folder, 'bare.csv');
  writeFileSync(bare, 'TIMESTAMP\n1\n2\n');
  expect(() => replayOf(bare, 2, 2)).toThrow('GeneratedTokens');
});
