/** A model of true size with random weights, made once and kept outside the checkout. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Precision } from '@ragscale/inference/manifest';
import { buildModel } from '@ragscale/model-builder/build';
import { synthesizeCheckpoint } from '@ragscale/model-builder/synth';

export const cacheFolder = path.join(process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache/ragscale'), 'bench');

/** Built anew each time: a benchmark must measure the graph that the builder writes today. */
export async function syntheticModel(name: string, precision: Precision): Promise<string> {
  const checkpoint = path.join(cacheFolder, path.basename(name));
  if (!existsSync(checkpoint)) synthesizeCheckpoint({ name, out: checkpoint, seed: 1 });
  const out = `${checkpoint}-${precision}`;
  await buildModel({ checkpoint, out, precision, force: true });
  return out;
}
