/** Does `ragscale keys new` print a key that the printed line lets in, and fail in one line? */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseApiKeys } from '@ragscale/service/api-keys';
import { expect, it } from 'vitest';

function ragscale(...args: string[]) {
  const main = path.join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', main, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

it('prints the key and the line that lets it in', () => {
  const { status, stdout } = ragscale('keys', 'new', 'team-a', '--rate', '2.5', '--burst', '10');
  expect(status).toBe(0);
  const [, key = '', , line = '', ...rest] = stdout.split('\n');
  expect(rest).toEqual(['']);
  expect(key).toMatch(/^rs_[A-Za-z0-9_-]{43}$/);
  expect(line).not.toContain(key);
  expect(parseApiKeys(line).find(`Bearer ${key}`)).toEqual({ name: 'team-a', ratePerSecond: 2.5, burst: 10 });
});

it('prints JSON, and another key each time', () => {
  const [one, other] = [1, 2].map(() => JSON.parse(ragscale('keys', 'new', 'a', '--json').stdout));
  expect(Object.keys(one)).toEqual(['name', 'key', 'line']);
  expect(parseApiKeys(`${one.line}\n${other.line}`).find(`Bearer ${other.key}`)).toEqual({ name: 'a' });
  expect(one.key).not.toBe(other.key);
});

it('is in the help', () => {
  expect(ragscale('--help').stdout).toMatch(/^ {2}keys +make API keys/m);
  expect(ragscale('keys', 'new', '--help').stdout).toContain('--rate <n>');
});

it.each([
  [['keys', 'new'], "error: missing required argument 'name'"],
  [['keys', 'new', 'a b'], 'at most 64 letters'],
  [['keys', 'new', 'a', '--rate', '0'], 'a number over 0 is expected'],
  [['keys', 'new', 'a', '--rate', '1e9'], 'a number over 0 is expected'],
  [['keys', 'new', 'a', '--rate', '1', '--burst', '0.5'], 'a whole number from 1 is expected'],
  [['keys', 'new', 'a', '--burst', '5'], 'needs --rate'],
])('%j fails', (args, message) => {
  const { status, stdout, stderr } = ragscale(...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(message);
});
