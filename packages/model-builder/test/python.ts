/** How does a test run Python code of the reference environment while it serves a hub to it? (`reference.ts` blocks until it ends.) */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const python = path.join(process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache', 'ragscale'), 'py/bin/python');
/** What a test that is skipped without it should name. */
export const REFERENCE = 'the Python of test/system/setup.sh';
export const hasReference = existsSync(python);

export function startPython(
  code: string,
  environment: Readonly<Record<string, string>>,
  ...parameters: readonly string[]
): ChildProcess {
  return spawn(python, ['-c', code, ...parameters], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1', ...environment },
  });
}

/** @returns what the code printed @throws Error with what it wrote to stderr when it failed */
export function runPython(
  code: string,
  environment: Readonly<Record<string, string>> = {},
  ...parameters: readonly string[]
): Promise<string> {
  const child = startPython(code, environment, ...parameters);
  let [out, errors] = ['', ''];
  child.stdout!.on('data', (text) => (out += text));
  child.stderr!.on('data', (text) => (errors += text));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (status) => (status === 0 ? done(out.trim()) : fail(new Error(errors.slice(-4000)))));
  });
}
