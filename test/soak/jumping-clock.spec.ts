import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CLOCK_FOLDER, CLOCK_OPTION, JUMP_MS } from './jumping-clock.ts';

/** Says in each of its threads, 20 times a second, what Date has to say. */
const PROGRAM = `
const { Worker, isMainThread } = require('node:worker_threads');
const isWrong = () => Math.abs(Date.now() - performance.timeOrigin - performance.now()) > 1_000_000;
const tell = () => console.log(JSON.stringify({
  thread: isMainThread ? 'main' : 'worker', now: isWrong(), same: Math.abs(new Date() - Date.now()) < 1_000,
  fixed: new Date(0).toISOString(), isDate: new Date() instanceof Date, text: typeof Date(),
}));
setInterval(tell, 50);
if (isMainThread) new Worker(__filename);
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-clock-'));
  await writeFile(path.join(folder, 'program.cjs'), PROGRAM);
});

afterEach(() => rm(folder, { recursive: true }));

it('the time of day jumps in every thread, and back, and all else of Date is as ever', async () => {
  const child = spawn(process.execPath, [path.join(folder, 'program.cjs')], {
    env: { NODE_OPTIONS: CLOCK_OPTION, [CLOCK_FOLDER]: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: { thread: string; now: boolean }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const latest = (thread: string) => lines.findLast((line) => line.thread === thread)?.now;
  const until = async (isWrong: boolean) => {
    while (latest('main') !== isWrong || latest('worker') !== isWrong) await once(child.stdout, 'data');
  };
  try {
    await until(false);
    const file = path.join(folder, `clock-${child.pid}`);
    await writeFile(file, String(JUMP_MS));
    await until(true);
    await rm(file);
    await until(false);
  } finally {
    child.kill();
  }
  for (const line of lines) {
    const rest = { same: true, fixed: '1970-01-01T00:00:00.000Z', isDate: true, text: 'string' };
    expect(line).toMatchObject(rest);
  }
});
