/** Is the Prometheus that the tests build the one that the chart asks for? */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const VALUES = path.join(import.meta.dirname, '../../../../charts/ragscale/values.yaml');

it('the version of the module is the tag of the chart', () => {
  const { stdout } = spawnSync('bash', [path.join(import.meta.dirname, 'build.sh'), '--version'], { encoding: 'utf8' });
  const [, tag] = /repository: prom\/prometheus\s+tag: (\S+)/.exec(readFileSync(VALUES, 'utf8')) ?? [];
  expect(stdout).toMatch(/^v3\.\d+\.\d+\n$/);
  expect(stdout.trim()).toBe(tag);
});
