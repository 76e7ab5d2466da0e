import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogLine, type Program, startProgram } from './program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ragscale-program-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;

async function run(
  source: string,
): Promise<{ program: Program; lines: LogLine[]; line: (msg: string) => Promise<void> }> {
  const file = path.join(folder, `${files++}.mjs`);
  await writeFile(file, source);
  const lines: LogLine[] = [];
  let onLine: () => void = () => undefined;
  const program = startProgram(
    { file, args: ['argument'], env: { PATH: process.env.PATH, GREETING: 'hello' } },
    (line) => {
      lines.push(line);
      onLine();
    },
  );
  const line = (msg: string) =>
    new Promise<void>((resolve) => {
      onLine = () => {
        if (lines.some((each) => each.msg === msg)) resolve();
      };
      onLine();
    });
  return { program, lines, line };
}

const FOREVER = 'setInterval(() => undefined, 1_000);';

describe('a program', () => {
  it('gets its arguments and environment, and its lines are read', async () => {
    const { program, lines } = await run(`
      console.log(JSON.stringify({ level: 'warn', msg: process.env.GREETING, argument: process.argv[2] }));
      console.log('plain words');
      console.log('[1]');
    `);
    expect(await program.ended).toEqual({ code: 0, signal: null, lastWords: '' });
    expect(lines).toEqual([
      { level: 'warn', msg: 'hello', argument: 'argument' },
      { level: 'info', msg: 'plain words' },
      { level: 'info', msg: '', 0: 1 },
    ]);
  });

  it('that fails has last words, which are no lines of its log', async () => {
    const { program, lines } = await run(`
      for (let i = 0; i < 20; i++) console.error('word ' + i);
      process.exitCode = 3;
    `);
    const { code, lastWords } = await program.ended;
    expect([code, lastWords.split('\n').length, lines]).toEqual([3, 12, []]);
    expect(lastWords).toMatch(/^word 8\n.*\nword 19$/s);
  });

  it('that lives on after it wrote an error has a line of it', async () => {
    const { program, lines, line } = await run(`console.error('careful'); ${FOREVER}`);
    await line('careful');
    expect(lines).toEqual([{ level: 'warn', msg: 'careful' }]);
    program.kill();
    expect(await program.ended).toMatchObject({ signal: 'SIGKILL' });
    program.kill();
    expect(await program.stop(1)).toBe(true);
  });

  it('ends by itself when it is told to, and is killed when it takes too long', async () => {
    const ready = `console.log('ready'); ${FOREVER}`;
    const obedient = await run(`process.on('SIGTERM', () => process.exit(0)); ${ready}`);
    await obedient.line('ready');
    expect(await obedient.program.stop(60_000)).toBe(true);
    expect(await obedient.program.ended).toMatchObject({ code: 0 });
    const stubborn = await run(`process.on('SIGTERM', () => console.log('no')); ${ready}`);
    await stubborn.line('ready');
    const stopped = stubborn.program.stop(100);
    expect(await stopped).toBe(false);
    expect(await stubborn.program.ended).toMatchObject({ signal: 'SIGKILL' });
  });

  it('may start threads, which do not watch over its parent as well', async () => {
    const { program, lines } = await run(`
      import { Worker } from 'node:worker_threads';
      new Worker('console.log("from a thread")', { eval: true });
    `);
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(lines).toEqual([{ level: 'info', msg: 'from a thread' }]);
  });
});
