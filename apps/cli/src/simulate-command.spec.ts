/** Does `ragscale simulate` tell what a policy costs under a trace, the same for the same seeds, and refuse in one line what it cannot read? */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-simulate-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function ragscale(...args: string[]) {
  const main = path.join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', main, 'simulate', ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function traceFile(name: string, text: string): string {
  const file = path.join(scratch, name);
  writeFileSync(file, text);
  return file;
}

/** In the format of the Azure traces: five requests a second for ten minutes, twenty for another two. */
const lines = Array.from({ length: 5_400 }, (_, index) => {
  const seconds = index < 3_000 ? index / 5 : 600 + (index - 3_000) / 20;
  const at = new Date(Date.UTC(2023, 10, 16, 18, 15, 46) + 1_000 * seconds).toISOString().replace('T', ' ');
  return `${at.replace('Z', '5900')},${100 + (index % 7)},${index % 50 === 0 ? 200 : 20}`;
});
const trace = traceFile('azure.csv', `TIMESTAMP,ContextTokens,GeneratedTokens\n${lines.join('\n')}\n`);
const basic = ['--trace', trace, '--objective', '2s', '--seeds', '2'];

describe('a simulation', () => {
  it('prints violations, replica-seconds and the cost over the oracle with their intervals', () => {
    const { status, stdout, stderr } = ragscale(...basic, '--policy', 'ragscale');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [heading, ...rows] = stdout.split('\n');
    expect(heading).toContain('5,400 requests');
    expect(rows.find((row) => row.startsWith('violations'))).toMatch(/\d\.\d\d% +±\d+\.\d\d%/);
    expect(rows.find((row) => row.startsWith('replica-seconds'))).toMatch(/[\d,]+ +±[\d,]+ +\d/);
    expect(rows.find((row) => row.startsWith('over the oracle'))).toMatch(/\d\.\d\d x +±\d\.\d\d/);
  });

  it('prints JSON, the same for the same seeds', () => {
    const args = [...basic, '--policy', 'hpa', '--setting', 'share=0.3', '--setting', 'downWindowS=60', '--json'];
    const one = ragscale(...args);
    expect(one.status).toBe(0);
    expect(ragscale(...args).stdout).toBe(one.stdout);
    const report = JSON.parse(one.stdout);
    const estimate = { mean: expect.any(Number), ci95: expect.any(Number) };
    expect(report).toMatchObject({
      policy: 'hpa',
      violations: estimate,
      replicaSeconds: estimate,
      costOverOracle: estimate,
      latencySeconds: { p50: estimate, p95: estimate, p99: estimate },
      peakReplicas: estimate,
      changesPerHour: estimate,
      requests: { mean: 5_400, ci95: 0 },
      load: trace,
      seeds: 2,
      objective: { latencySeconds: 2, percentile: 95 },
      coldStartSeconds: 30,
      settings: { target: 4.8, behavior: { scaleDown: { stabilizationMs: 60_000 } } },
    });
    expect(report.costOverOracle.mean).toBeGreaterThan(1);
    expect(report.oracle.lowerBound.mean).toBeLessThan(report.oracle.replicaSeconds.mean);
  });

  it.each([
    ['ragscale', []],
    ['hpa', []],
    ['keda', ['--setting', 'query=rate']],
    ['kpa', []],
    ['ray', []],
    ['seed', []],
    ['static', ['--setting', 'replicas=6']],
    ['oracle', []],
  ])('is of any policy: %s', (policy, settings) => {
    const args = [
      ...basic,
      '--policy',
      policy,
      ...settings,
      '--seeds',
      '1',
      '--no-oracle',
      '--pods',
      'single',
      '--json',
    ];
    const report = JSON.parse(ragscale(...args).stdout);
    expect(report).toMatchObject({ policy, pods: 'single', seeds: 1, violations: { ci95: null } });
    expect(report.replicaSeconds.mean).toBeGreaterThan(700);
    if (policy === 'static') expect(report.meanReplicas.mean).toBe(6);
    if (policy === 'oracle') {
      expect(report.costOverOracle).toEqual({ mean: 1, ci95: null });
      expect(report.violations.mean).toBeLessThanOrEqual(0.005);
    } else expect([report.costOverOracle, report.oracle]).toEqual([null, null]);
  });

  it('makes a load where there is no trace', () => {
    const args = ['--objective', '2s', '--policy', 'static', '--seeds', '2', '--no-oracle', '--json'];
    const load = ['--load', 'crowd', '--rate', '8', '--duration', '20m'];
    const report = JSON.parse(ragscale(...args, ...load).stdout);
    expect(report).toMatchObject({ load: 'crowd', durationSeconds: 1_200 });
    expect(report.requests.mean / 9_600).toBeCloseTo(1, 0);
  });

  it('makes a trace larger, longer, and its requests as large as their tokens', () => {
    const args = [...basic, '--policy', 'static', '--no-oracle', '--json', '--setting', 'replicas=9'];
    const more = JSON.parse(ragscale(...args, '--rate-factor', '3', '--duration', '24m').stdout);
    expect(more.requests.mean).toBeGreaterThan(5.9 * 5_400);
    expect(more.durationSeconds).toBe(1_440);
    const [measured, byTokens] = ['measured', 'tokens'].map((sizes) =>
      JSON.parse(ragscale(...args, '--sizes', sizes).stdout),
    );
    expect(byTokens.latencySeconds.p99.mean).toBeGreaterThan(1.5 * measured.latencySeconds.p99.mean);
  });

  it('names its options and the settings of every policy in its help', () => {
    const { status, stdout } = ragscale('--help');
    expect(status).toBe(0);
    for (const part of ['--cold-start', 'default: 30s', '--percentile', '--rate-factor', 'kpa     stableWindowS']) {
      expect(stdout).toContain(part);
    }
  });
});

describe('what is wrong is refused in one line', () => {
  const [words, empty] = [traceFile('words.csv', 'TIMESTAMP\n1\nnever\n'), traceFile('empty.csv', '')];
  it.each([
    [['--policy', 'hpa', '--objective', '2s'], 'error: give --trace, or --load'],
    [[...basic, '--policy', 'hpa', '--load', 'day'], 'error: give --trace or --load, not both'],
    [[...basic, '--policy', 'magic'], "error: option '--policy <name>' argument 'magic' is invalid"],
    [['--trace', trace, '--policy', 'hpa'], "error: required option '--objective <duration>' not specified"],
    [[...basic, '--policy', 'hpa', '--objective', 'fast'], 'a duration such as 500ms, 2s, 1.5m or 24h'],
    [[...basic, '--policy', 'hpa', '--seeds', '0'], 'a whole number from 1 to 1000 is expected'],
    [[...basic, '--policy', 'ragscale', '--percentile', '5'], 'a number from 50 to 99.99 is expected'],
    [
      [...basic, '--policy', 'hpa', '--setting', 'shares=1'],
      "'shares=1' is no setting of hpa: it has share, downWindowS",
    ],
    [[...basic, '--policy', 'static', '--setting', 'replicas=2.5'], "'replicas=2.5': replicas is a whole number"],
    [[...basic, '--policy', 'keda', '--setting', 'query=x'], "'query=x': query is requests or rate"],
    [[...basic, '--policy', 'hpa', '--min', '9', '--max', '3'], '--min 9 is more than --max 3'],
    [['--load', 'day', '--policy', 'hpa', '--objective', '2s', '--rate-factor', '2'], '--rate-factor needs --trace'],
    [
      ['--load', 'day', '--policy', 'hpa', '--objective', '2s', '--rate', '9000', '--duration', '24h'],
      'ragscale: 7.8e+8 requests are too many',
    ],
    [['--trace', '/nowhere.csv', '--policy', 'hpa', '--objective', '2s'], 'ragscale: /nowhere.csv does not exist\n'],
    [['--trace', scratch, '--policy', 'hpa', '--objective', '2s'], `ragscale: ${scratch} is not a file\n`],
    [
      ['--trace', words, '--policy', 'hpa', '--objective', '2s'],
      `ragscale: ${words}, line 3: "never" is no time; write 2023-11-16 18:15:46.680 or seconds\n`,
    ],
    [['--trace', empty, '--policy', 'hpa', '--objective', '2s'], `ragscale: ${empty}, line 1: nothing`],
    [
      ['--trace', words.replace('words', 'azure'), '--policy', 'hpa', '--objective', '2s', '--sizes', 'average'],
      "error: option '--sizes <model>' argument 'average' is invalid",
    ],
  ])('%j', (args, message) => {
    const { status, stdout, stderr } = ragscale(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('also where sizes are to follow tokens that the trace does not have', () => {
    const bare = traceFile('bare.csv', '1\n2\n3\n');
    const { status, stderr } = ragscale('--trace', bare, '--policy', 'hpa', '--objective', '2s', '--sizes', 'tokens');
    expect(status).toBe(1);
    expect(stderr).toBe(`ragscale: ${bare} has no column GeneratedTokens for --sizes tokens\n`);
  });
});
