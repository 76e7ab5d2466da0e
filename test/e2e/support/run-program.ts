/** How does a test run a program to its end? Without holding up the process that sends requests meanwhile. */
import { spawn } from 'node:child_process';

export interface Ended {
  readonly ok: boolean;
  readonly output: string;
  readonly errors: string;
}

export interface RunOptions {
  readonly input?: string;
  /** In addition to this process's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Called with the output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Never rejects: a program that cannot be started has ended with `errors`. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { input, env = {}, timeoutMs = 300_000, onOutput } = options;
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const child = spawn(program, args, { env: { ...process.env, ...env }, timeout: timeoutMs });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.stdin.on('error', () => {}).end(input ?? '');
  child.once('error', ({ message }) => resolve({ ok: false, output, errors: message }));
  child.once('close', (code, signal) => {
    if (signal !== null) errors += `\n${program} was ended by ${signal}, after ${timeoutMs} ms at the latest`;
    resolve({ ok: code === 0, output, errors });
  });
  return promise;
}
