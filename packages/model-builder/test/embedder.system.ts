/** How near is the embedder, in each precision, to `transformers` in float32 over 200 texts? */
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { catalogueEntry, embeddedFolder } from '../src/catalogue.ts';
import { embedderQuality } from './embedder-quality.ts';
import { built } from './golden.ts';
import { embedderCheckpoint, runReference } from './reference.ts';
import { scratchFolder } from './scratch-folder.ts';

const golden = path.join(scratchFolder(), 'golden.json');
beforeAll(() => {
  runReference('make_embedder_golden.py', embedderCheckpoint(), '200', golden);
});

it('as it ships: cosine at least 0.99 for every text, 0.998 on average', async () => {
  const quality = await embedderQuality(
    embeddedFolder(catalogueEntry('sentence-transformers/all-MiniLM-L6-v2')!)!,
    golden,
  );
  expect(quality.texts).toBe(200);
  expect(quality.minCosine, quality.worst).toBeGreaterThanOrEqual(0.99);
  expect(quality.meanCosine).toBeGreaterThanOrEqual(0.998);
});

it.each([
  ['fp32', 0.9999],
  ['w8', 0.995],
] as const)('built in %s: cosine at least %d for every text', async (precision, least) => {
  const quality = await embedderQuality(await built(embedderCheckpoint(), precision), golden);
  expect(quality.minCosine, quality.worst).toBeGreaterThanOrEqual(least);
});
