/** How is k6 run from a program? Built where it is not there yet, with settings as `-e NAME=value`. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';

const FOLDER = path.join(import.meta.dirname, '..');

/** @returns the program @throws Error that says what is missing */
export async function k6Program(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('bash', [path.join(FOLDER, 'build-k6.sh')]);
    return path.join(stdout.trim(), 'k6');
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr?.trim() || (error as Error).message);
  }
}

export interface K6Run {
  /** 0: all thresholds hold; 99: one does not. */
  readonly code: number | null;
  readonly output: string;
}

export interface K6Options {
  /** Such as `poisson`. */
  readonly script: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Called with what k6 writes, as it writes it. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a script of this folder to its end. */
export async function runK6(
  program: string,
  { script, settings, cwd, env, signal, onOutput }: K6Options,
): Promise<K6Run> {
  const args = Object.entries(settings).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const child = spawn(program, ['run', '--quiet', '--no-usage-report', path.join(FOLDER, `${script}.js`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(signal === undefined ? {} : { signal }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onOutput?.(text);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
