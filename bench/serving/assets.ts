/** What do the servers need before any of them can start? Checkpoints, graphs, documents, and the peers' libraries: made once, cached. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Precision } from '@ragscale/inference/manifest';
import { buildModel } from '@ragscale/model-builder/build';
import { synthesizeCheckpoint } from '@ragscale/model-builder/synth';
import { embedderCheckpoint } from '../../scripts/embedder-checkpoint.ts';
import { cacheFolder, syntheticModel } from '../lib/synthetic-model.ts';
import { documentLines } from './workload.ts';

export const GENERATOR = 'facebook/opt-125m';
const DOCUMENTS = { count: 1000, seed: 11 };

export const root = path.resolve(import.meta.dirname, '../..');
const peers = path.join(root, 'bench/peers');

/** Folders of checkpoints, for those who load weights as they are. */
export interface Checkpoints {
  readonly generator: string;
  readonly embedder: string;
}

export interface Graphs {
  readonly generator: string;
  readonly embedder: string;
}

export interface TransformersJs {
  /** Where the library is installed. */
  readonly installation: string;
  readonly models: string;
}

export async function checkpoints(): Promise<Checkpoints> {
  const generator = path.join(cacheFolder, path.basename(GENERATOR));
  if (!existsSync(generator)) synthesizeCheckpoint({ name: GENERATOR, out: generator, seed: 1 });
  return { generator, embedder: await embedderCheckpoint() };
}

/** Model folders of ours: the same weights, in `fp32` both; in `w8a8` the embedder that ships. */
export async function graphs(precision: Precision, { embedder }: Checkpoints): Promise<Graphs> {
  const generator = await syntheticModel(GENERATOR, precision);
  if (precision === 'w8a8') return { generator, embedder: path.join(root, 'models/embedded/embedder') };
  const out = path.join(cacheFolder, `embedder-${precision}`);
  await buildModel({ checkpoint: embedder, out, precision, force: true });
  return { generator, embedder: out };
}

/** The DOCUMENTS file. */
export function documentsFile(): string {
  const file = path.join(cacheFolder, 'serving-documents.jsonl');
  mkdirSync(cacheFolder, { recursive: true });
  writeFileSync(file, `${documentLines(DOCUMENTS.count, DOCUMENTS.seed).join('\n')}\n`);
  return file;
}

/** The Python that has the peers' libraries. */
export function peerPython(): string {
  execFileSync('bash', [path.join(peers, 'setup.sh')], { stdio: ['ignore', 'ignore', 'inherit'] });
  return path.join(cacheFolder, 'py/bin/python');
}

/** Installs the library as its lock file says, and exports the checkpoints for it. */
export function transformersJs(python: string, { generator, embedder }: Checkpoints): TransformersJs {
  const installation = path.join(cacheFolder, 'transformers-js');
  const models = path.join(installation, 'models');
  const lock = (folder: string) => path.join(folder, 'package-lock.json');
  const wanted = readFileSync(lock(path.join(peers, 'transformers-js')), 'utf8');
  const stamp = path.join(installation, 'node_modules', '.installed');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    mkdirSync(installation, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) {
      copyFileSync(path.join(peers, 'transformers-js', name), path.join(installation, name));
    }
    // Without scripts: they fetch libraries for CUDA, which a CPU has no use for.
    execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: installation, stdio: ['ignore', 'ignore', 'inherit'] });
    writeFileSync(stamp, wanted);
  }
  const script = path.join(peers, 'export_onnx.py');
  const exported = path.join(models, 'export_onnx.py');
  if (!existsSync(exported) || readFileSync(exported, 'utf8') !== readFileSync(script, 'utf8')) {
    rmSync(models, { recursive: true, force: true });
    const folders = ['--generator', generator, '--embedder', embedder, '--out', models];
    execFileSync(python, ['-B', '-W', 'ignore', script, ...folders], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...QUIET },
    });
    copyFileSync(script, exported);
  }
  return { installation, models };
}

/** Keeps transformers from asking a hub and from drawing progress bars. */
export const QUIET = {
  HF_HUB_OFFLINE: '1',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
  TRANSFORMERS_VERBOSITY: 'error',
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
};
