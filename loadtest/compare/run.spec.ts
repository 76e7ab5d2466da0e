import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compare } from './run.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-compare-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function report(name: string, mean: number | null): string {
  const latency = { count: 2, mean, p50: mean, p95: mean, p99: mean, max: mean, distribution: [] };
  const outcomes = { answered: mean === null ? 0 : 2, refused: mean === null ? 2 : 0, broken: 0, failed: 0 };
  const stages = [5, 60].map((rate) => ({ name: `${rate}/s`, rate, outcomes, good: 1, latency, throughput: rate / 2 }));
  const generator = { late: 0, dropped: 0, lagMs: { p99: 1 } };
  const file = path.join(scratch, `${name}.json`);
  const settings = { lagMs: 50 };
  writeFileSync(
    file,
    JSON.stringify({ format: 'ragscale-loadtest/1', name, test: 'poisson', settings, generator, stages }),
  );
  return file;
}

test('three pictures and the tables, of all that was given', async () => {
  const folder = path.join(scratch, 'new', 'folder');
  const text = await compare([report('baseline', 120), report('mine & yours', 80), report('silent', null)], folder);
  expect(readdirSync(folder).sort()).toEqual(['comparison.md', 'mean.svg', 'p99.svg', 'throughput.svg']);
  expect(text).toContain(readFileSync(path.join(folder, 'comparison.md'), 'utf8').trim());
  const picture = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  for (const name of ['mean.svg', 'p99.svg', 'throughput.svg']) {
    for (const part of ['baseline', 'mine &amp; yours', 'silent']) expect(picture(name)).toContain(part);
    expect(picture(name)).not.toMatch(/NaN|Infinity/);
  }
  // What is known of others stands where it belongs, and says whose it is.
  expect(picture('throughput.svg')).toContain('as published');
  expect(picture('throughput.svg')).toContain('stroke-dasharray');
  expect(picture('mean.svg')).toContain('as published');
  expect(picture('p99.svg')).not.toContain('as published');
});

test('nothing that could be compared is said so', async () => {
  await expect(compare([path.join(scratch, 'none.json')], scratch)).rejects.toThrow(/none\.json/);
});
