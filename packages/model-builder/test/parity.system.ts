/** Do built graphs agree with `transformers` on checkpoints that nobody has seen before? */
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  built,
  DECODER_FIXTURES,
  type DecoderGolden,
  decoderParity,
  ENCODER_FIXTURES,
  type EncoderGolden,
  encoderParity,
  readGolden,
} from './golden.ts';
import { runReference } from './reference.ts';
import { scratchFolder } from './scratch-folder.ts';

// Printed by a failing test: the fixtures of a seed are made again with it.
const seeds = [1, 2, 3].map((i) => (Date.now() + i * 7919) % 1_000_000);

describe.each(seeds)('with seed %i', (seed) => {
  const folder = scratchFolder();
  beforeAll(() => {
    runReference('make_fixtures.py', folder, '--seed', String(seed));
  });

  it.each(DECODER_FIXTURES)('%s: logits within 1e-4, the same greedy tokens', async (name) => {
    const checkpoint = path.join(folder, name);
    const parity = await decoderParity(await built(checkpoint, 'fp32'), readGolden<DecoderGolden>(checkpoint));
    expect(parity.largestLogitError).toBeLessThan(1e-4);
    expect(parity.greedyAgreement).toBe(1);
  });

  it.each(ENCODER_FIXTURES)('%s: cosine at least 0.9999', async (name) => {
    const checkpoint = path.join(folder, name);
    expect(await encoderParity(await built(checkpoint, 'fp32'), readGolden<EncoderGolden>(checkpoint))).toBeGreaterThan(
      0.9999,
    );
  });
});
