/** A hub on this computer that has models of the catalogue under their names and pinned commits, with random weights of a small shape. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PINNED_REVISIONS } from '@ragscale/model-builder/hub/pinned-revisions';
import { readSafetensors } from '@ragscale/model-builder/safetensors';
import { type TensorToWrite, writeSafetensors } from '@ragscale/model-builder/safetensors-writer';
import { HubServer } from '../../packages/model-builder/test/hub-server.ts';

export const EMBEDDER = 'intfloat/multilingual-e5-large-instruct';
export const GENERATOR = 'facebook/opt-125m';

const FIXTURES = path.resolve(import.meta.dirname, '../../packages/model-builder/test/fixtures');

const CHECKPOINTS = { [EMBEDDER]: 'xlm-roberta-two-heads-f32', [GENERATOR]: 'opt-two-heads-f32' } as const;

/** Tokens that a model of ours takes: e5 puts an instruction before a question, and the fixtures have room for neither. */
const POSITIONS = 512;

export async function startModelHub(): Promise<HubServer> {
  const hub = await HubServer.start();
  for (const [name, folder] of Object.entries(CHECKPOINTS)) {
    const commit = PINNED_REVISIONS[name];
    if (commit === undefined) throw new Error(`${name} has no pinned commit`);
    const config = JSON.parse(fixture(folder, 'config.json').toString()) as { max_position_embeddings: number };
    hub.addAt(commit, name, {
      'config.json': { content: Buffer.from(JSON.stringify({ ...config, max_position_embeddings: POSITIONS + 2 })) },
      'tokenizer.json': { content: fixture(folder, 'tokenizer.json') },
      'tokenizer_config.json': { content: fixture(folder, 'tokenizer_config.json') },
      'model.safetensors': { content: withMorePositions(path.join(FIXTURES, folder, 'model.safetensors')), lfs: true },
    });
  }
  return hub;
}

function fixture(folder: string, name: string): Buffer {
  return readFileSync(path.join(FIXTURES, folder, name));
}

/** The weights of a fixture, the rows of their positions again and again. */
function withMorePositions(file: string): Buffer {
  const bytes = readFileSync(file);
  const tensors = [...readSafetensors(file)].map(([name, { shape, start, bytes: length }]): TensorToWrite => {
    const values = new Float32Array(new Uint8Array(bytes.subarray(start, start + length)).buffer);
    if (!/(embed|position)_(positions|embeddings)\.weight$/.test(name)) return { name, shape, values: () => values };
    const [, hidden = 0] = shape;
    const rows = POSITIONS + (name.includes('embed_positions') ? 4 : 2);
    const longer = Float32Array.from({ length: rows * hidden }, (_, index) => values[index % values.length] ?? 0);
    return { name, shape: [rows, hidden], values: () => longer };
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-weights-'));
  try {
    writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
    return readFileSync(path.join(folder, 'model.safetensors'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a process is told to take both models from it, and to keep them in `home`. */
export function hubEnvironment(hub: HubServer, home: string): Record<string, string> {
  return {
    RAG_EMBEDDER: EMBEDDER,
    RAG_GENERATOR: GENERATOR,
    // Small models are as exact as they can be.
    RAG_PRECISION: 'fp32',
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: path.join(home, 'hub'),
    RAGSCALE_CACHE: path.join(home, 'cache'),
  };
}
