/** How many requests does wrk get answered, by so many connections that each ask on? */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { QUESTION } from './backends.ts';
import { OTHER_PROCESSORS } from './placement.ts';
import { findProgram } from './programs.ts';

export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Connections that broke, and statuses that are no success. */
  readonly failed: number;
}

export async function wrk(url: string, connections: number, seconds: number): Promise<WrkResult> {
  const script = path.join(import.meta.dirname, 'wrk.lua');
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url];
  const pinned = OTHER_PROCESSORS === undefined ? [] : ['taskset', '-c', OTHER_PROCESSORS];
  const [command, ...rest] = [...pinned, findProgram('wrk')!, ...args] as [string, ...string[]];
  const run = promisify(execFile)(command, rest, { env: { ...process.env, BODY: QUESTION } });
  const kill = () => void run.child.kill();
  process.once('exit', kill);
  const { stdout } = await run;
  process.off('exit', kill);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as WrkResult;
}
