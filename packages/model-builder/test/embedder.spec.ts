/** Are the models that ship what the catalogue says, and does the embedder that ships with the repository keep to the unquantized model, as `transformers` runs it? */
import path from 'node:path';
import { readManifest } from '@ragscale/inference/manifest';
import { expect, it } from 'vitest';
import { CATALOGUE, catalogueEntry, embeddedFolder } from '../src/catalogue.ts';
import { embedderQuality } from './embedder-quality.ts';
import { FIXTURES } from './golden.ts';

it.each(CATALOGUE.filter(({ embedded }) => embedded !== undefined))(
  '$name has the shape of the catalogue',
  async (entry) => {
    const { kind, architecture, dimensions, tokens, name } = await readManifest(embeddedFolder(entry)!);
    expect({ kind, architecture, name }).toEqual({
      kind: entry.kind,
      architecture: entry.config.model_type,
      name: entry.name,
    });
    expect(dimensions).toMatchObject({
      layers: entry.config.num_hidden_layers,
      hidden: entry.config.hidden_size,
      heads: entry.config.num_attention_heads,
      vocabulary: entry.config.vocab_size,
    });
    expect(tokens.pad).toBe(entry.config.pad_token_id);
  },
);

it('keeps the direction of every vector: cosine at least 0.99 (embedder.system.ts takes 200 texts)', async () => {
  const folder = embeddedFolder(catalogueEntry('sentence-transformers/all-MiniLM-L6-v2')!)!;
  expect((await readManifest(folder)).dimensions.maxTokens).toBe(256);
  const quality = await embedderQuality(folder, path.join(FIXTURES, 'embedder-golden.json'));
  expect(quality.texts).toBe(20);
  expect(quality.minCosine, quality.worst).toBeGreaterThanOrEqual(0.99);
});
