/** Which versions of the programs were measured? */
import { spawnSync } from 'node:child_process';
import { findProgram } from './programs.ts';

/** By name; those that are not installed are absent. */
export function versions(): Record<string, string> {
  return {
    node: process.version.slice(1),
    ...found('nginx', /nginx\/([\d.]+)/),
    ...found('haproxy', /version ([\d.]+)/i),
    ...found('wrk', /\b(\d+\.\d+\.\d+)/),
  };
}

function found(name: string, pattern: RegExp): Record<string, string> {
  const program = findProgram(name);
  if (program === undefined) return {};
  const { stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  const version = pattern.exec(stdout + stderr)?.[1];
  return version === undefined ? {} : { [name]: version };
}
