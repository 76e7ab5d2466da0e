/** Does `ragscale models` build what it says, in one line or JSON, and fail in one line with a code other than 0? */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';

const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function ragscale(...args: string[]) {
  const main = path.join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', main, ...args], {
    encoding: 'utf8',
    env: { ...process.env, HF_HOME: scratch },
  });
  return { status, stdout, stderr };
}

it('synthesizes a checkpoint and builds it', () => {
  const [checkpoint, out] = [path.join(scratch, 'checkpoint'), path.join(scratch, 'model')];
  const synth = ragscale('models', 'synth', 'tiny-rag-opt', '--out', checkpoint, '--seed', '3', '--json');
  expect(JSON.parse(synth.stdout)).toMatchObject({ out: checkpoint, name: 'tiny-rag-opt', seed: 3 });

  const prompt = path.join(scratch, 'prompt.json');
  writeFileSync(prompt, JSON.stringify({ template: '{passages}\n{question}' }));
  const args = ['models', 'build', '--checkpoint', checkpoint, '--out', out, '--precision', 'w8'];
  const built = ragscale(...args, '--name', 'mine', '--prompt', prompt, '--json');
  expect(JSON.parse(built.stdout)).toMatchObject({ out, name: 'mine', precision: 'w8' });
  const manifest = JSON.parse(readFileSync(path.join(out, 'manifest.json'), 'utf8'));
  expect(manifest.prompt.template).toBe('{passages}\n{question}');

  const again = ragscale(...args);
  expect(again).toEqual({ status: 1, stdout: '', stderr: `ragscale: ${out} exists; --force replaces it\n` });
  expect(ragscale(...args, '--force').stdout).toMatch(/^tiny-rag-opt in w8: [\d.]+ MB in .* \([\d.]+ s\)\n$/);
});

it('lists the catalogue', () => {
  const { models } = JSON.parse(ragscale('models', 'list', '--json').stdout) as {
    models: { name: string; parameters: number }[];
  };
  expect(models.map(({ name }) => name)).toContain('facebook/opt-125m');
  expect(ragscale('models', 'list').stdout).toMatch(/^NAME +KIND +ARCHITECTURE/);
});

it.each([
  [
    ['models', 'build', '--checkpoint', '/nowhere', '--out', path.join(scratch, 'x'), '--precision', 'fp32'],
    'ragscale: /nowhere is not a folder\n',
  ],
  [
    ['models', 'build', '--checkpoint', '/nowhere', '--out', '/x', '--precision', 'w9'],
    "error: option '--precision <name>' argument 'w9' is invalid",
  ],
  [['models', 'synth', 'nobody/nothing'], 'ragscale: nobody/nothing is not in the catalogue'],
  [['models', 'pull', 'a b'], "ragscale: 'a b' is no name of a model: org/name is expected"],
  [['models', 'pull', 'tiny-rag-opt'], 'ragscale: tiny-rag-opt is not on the hub: it ships with this repository'],
  [
    ['models', 'pull', 'facebook/opt-125m', '--offline'],
    `ragscale: the hub is not to be asked (offline), and ${path.join(scratch, 'hub')} lacks all files of facebook/opt-125m@27dcfa7`,
  ],
  [
    ['models', 'synth', 'tiny-rag-opt', '--seed', 'x'],
    "error: option '--seed <n>' argument 'x' is invalid. a whole number is expected",
  ],
])('%j fails', (args, message) => {
  const { status, stdout, stderr } = ragscale(...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
});
