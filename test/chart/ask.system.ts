/** Does `helm test` notice whether the system answers? Its script against a real pod, with documents as a ConfigMap is mounted. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodProcess, startProcess } from '../support/pod-process.ts';
import { CHART } from './tools.ts';

describe('the question of helm test', () => {
  let folder: string;
  let pod: PodProcess;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ragscale-documents-'));
    // As the kubelet does: the files are links into a hidden folder, which is exchanged at once.
    mkdirSync(path.join(folder, '..2026_11_22'));
    writeFileSync(path.join(folder, '..2026_11_22/animals.txt'), 'A quokka smiles.');
    symlinkSync('..2026_11_22', path.join(folder, '..data'));
    symlinkSync('..data/animals.txt', path.join(folder, 'animals.txt'));
    pod = await startProcess({ env: { PORT: '0', DOCUMENTS: folder } });
  });
  afterAll(async () => {
    await pod?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function ask(expected: string, url = pod.url) {
    const QUESTION = 'Which animal smiles?';
    return spawnSync(process.execPath, [path.join(CHART, 'files/ask.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, RAGSCALE_URL: url, QUESTION, EXPECT: expected },
      timeout: 60_000,
    });
  }

  it('is passed by the right answer', () => {
    const { status, stdout, stderr } = ask('QUOKKA');
    expect(status, stderr).toBe(0);
    expect(stdout).toContain('A quokka smiles.');
  });

  it('is failed by another answer, in words', () => {
    const { status, stderr } = ask('hummingbird');
    expect(status).not.toBe(0);
    expect(stderr).toContain('expected hummingbird in the answer');
  });

  it('is failed by a refusal, and by nobody there', () => {
    expect(ask('', `${pod.url}/nowhere`).stderr).toContain('404');
    expect(ask('', 'http://127.0.0.1:1').status).not.toBe(0);
  });
});
