/** From a checkpoint where a pull puts it to vectors: as multilingual-e5-large-instruct's model card computes them with `transformers`? */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { HARD_TEXTS } from './hard-texts.ts';
import { hasReference, REFERENCE } from './python.ts';
import { runReference } from './reference.ts';
import { scratchFolder } from './scratch-folder.ts';
import { cosine } from './similarity.ts';

vi.setConfig({ testTimeout: 300_000 });

const COMMIT = '274baa43b0e13e37fafa6428dbc7938e62e5c439';
const cli = path.resolve(import.meta.dirname, '../../../apps/cli/src/main.ts');
const ragscale = (...parameters: readonly string[]) =>
  JSON.parse(
    execFileSync(process.execPath, ['--conditions=source', cli, ...parameters, '--json'], { encoding: 'utf8' }),
  );

type Embedded = readonly (readonly [text: string, vector: number[]])[];

it.skipIf(!hasReference)(
  `the instruction, the mean and the length of one: cosine at least 0.9999 (needs ${REFERENCE})`,
  () => {
    const folder = scratchFolder();
    const seed = Date.now() % 1_000_000;
    writeFileSync(path.join(folder, 'texts.json'), JSON.stringify(HARD_TEXTS));
    runReference('make_unigram_tokenizers.py', path.join(folder, 'texts.json'), path.join(folder, 'tokenizers'));
    const checkpoint = path.join(folder, 'models--intfloat--multilingual-e5-large-instruct/snapshots', COMMIT);
    mkdirSync(checkpoint, { recursive: true });
    const made = runReference('make_e5.py', path.join(folder, 'tokenizers/split'), checkpoint, '--seed', String(seed));
    const expected = JSON.parse(made) as { queries: Embedded; passages: Embedded };

    expect(expected.passages.length).toBeGreaterThan(20);

    const model = path.join(folder, 'model');
    expect(
      ragscale('models', 'build', '--checkpoint', checkpoint, '--out', model, '--precision', 'fp32'),
    ).toMatchObject({
      name: 'intfloat/multilingual-e5-large-instruct',
    });
    for (const [role, embedded] of [
      ['query', expected.queries],
      ['passage', expected.passages],
    ] as const) {
      const texts = embedded.map(([text]) => text);
      const { embeddings } = ragscale('embed', '--model', model, '--as', role, '--text', ...texts) as {
        embeddings: number[][];
      };
      expect(embeddings).toHaveLength(embedded.length);
      for (const [i, [text, vector]] of embedded.entries()) {
        const similarity = cosine(Float32Array.from(embeddings[i]!), Float32Array.from(vector));
        expect(similarity, `seed ${seed}, ${text}`).toBeGreaterThanOrEqual(0.9999);
      }
    }
  },
);
