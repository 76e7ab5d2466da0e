/** Does `ragscale up` run the program that is asked for, hand it signals, and end as it ends? Needs the build. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it } from 'vitest';

const COMMAND = ['--conditions=source', path.join(import.meta.dirname, 'main.ts'), 'up'];

function up(args: readonly string[], env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
  return { status, stdout, stderr };
}

/** A pod that has begun to listen. */
async function startPod() {
  const child = spawn(process.execPath, [...COMMAND, '--design', 'baseline'], {
    env: { PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const ended = once(child, 'exit');
  // Not before everybody is gone who could write to it.
  const silent = once(child.stdout, 'close');
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      said += part;
      if (said.includes('"listening"')) resolve();
    });
    void ended.then(() => reject(new Error(`ended before it listened: ${said}`)));
  });
  return { child, ended, silent, said: () => said };
}

it.each([
  ['baseline', { RAG_GENERATOR: 'nowhere' }, 'RAG_GENERATOR="nowhere": must be '],
  ['batched', { SLOTS: '0' }, 'SLOTS="0": must be '],
  ['scaled', { MAX_REPLICAS: '0' }, 'MAX_REPLICAS="0": must be '],
])('runs %s, and fails as it fails', (design, env, message) => {
  const { status, stdout, stderr } = up(['--design', design], env as Record<string, string>);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(message);
});

it('runs all of it unless asked otherwise', () => {
  expect(up([], { AUTOSCALER_PORT: 'x' }).stderr).toContain('AUTOSCALER_PORT="x": must be ');
});

it('names the designs that there are', () => {
  expect(up(['--design', 'best'], {})).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Allowed choices are baseline, batched, scaled'),
  });
});

it('hands a signal on once, though npx and the terminal both send it', async () => {
  const { child, ended, said } = await startPod();
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  expect(said()).toContain('"bye"');
});

it('leaves nobody behind when it is killed', async () => {
  const { child, silent } = await startPod();
  child.kill('SIGKILL');
  await silent;
});
