/** Is a model folder whole, repeatable and as the contract says, whatever form its checkpoint and its weights have? */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readManifest, sha256 } from '@ragscale/inference/manifest';
import { describe, expect, it } from 'vitest';
import { buildModel } from '../src/build.ts';
import { copyOf, type Entry, safetensors, withConfig } from './broken-checkpoint.ts';
import { BUILT_PRECISIONS, built, type DecoderGolden, decoderParity, FIXTURES, readGolden } from './golden.ts';
import { scratchFolder } from './scratch-folder.ts';

const OPT = path.join(FIXTURES, 'opt-two-heads-f32');
const BERT = path.join(FIXTURES, 'bert-two-heads-f32');

describe('a model folder', () => {
  it.each(BUILT_PRECISIONS)('has the same bytes each time in %s', async (precision) => {
    const [once, again] = [await built(OPT, precision), await built(OPT, precision)];
    for (const name of ['model.onnx', 'manifest.json', 'README.md']) {
      expect(await sha256(path.join(once, name))).toBe(await sha256(path.join(again, name)));
    }
  });

  it('passes the checks of the engine', async () => {
    const manifest = await readManifest(await built(OPT, 'w8a8'));
    expect(manifest).toMatchObject({
      kind: 'decoder',
      architecture: 'opt',
      precision: 'w8a8',
      dimensions: { layers: 2, hidden: 32, heads: 2, kvHeads: 2, headDim: 16, maxTokens: 96 },
      tokens: { eos: [2], pad: 1 },
    });
    expect(Object.keys(manifest.files)).toEqual(['model.onnx', 'tokenizer.json', 'tokenizer_config.json']);
  });

  it('takes name, licence, source and prompt from options before the checkpoint', async () => {
    const checkpoint = withConfig('opt-two-heads-f32', {});
    const about = {
      name: 'a',
      licence: 'b',
      source: 'c',
      prompt: { template: '{passages}?{question}', passageSeparator: '|' },
    };
    writeFileSync(path.join(checkpoint, 'ragscale.json'), JSON.stringify(about));
    const out = path.join(scratchFolder(), 'model');
    const manifest = await buildModel({
      checkpoint,
      out,
      precision: 'fp32',
      provenance: { name: 'z' },
      prompt: { passageSeparator: '/' },
    });
    expect(manifest).toMatchObject({ name: 'z', licence: 'b', source: 'c' });
    expect(manifest.prompt).toEqual({ kind: 'template', template: '{passages}?{question}', passageSeparator: '/' });
  });

  it('limits an encoder to the length it was trained for', async () => {
    const checkpoint = withConfig('bert-two-heads-f32', {});
    expect((await readManifest(await built(BERT, 'fp32'))).dimensions.maxTokens).toBe(48);
    writeFileSync(path.join(checkpoint, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: 24 }));
    expect((await readManifest(await built(checkpoint, 'fp32'))).dimensions.maxTokens).toBe(24);
  });
});

describe('weights', () => {
  it.each(['fp32', 'w8a8'] as const)(
    'beyond the threshold go to a second file, with the same results in %s',
    async (precision) => {
      const out = path.join(scratchFolder(), 'model');
      const manifest = await buildModel({ checkpoint: OPT, out, precision, externalDataThresholdBytes: 10_000 });
      expect(Object.keys(manifest.files)).toContain('model.onnx.data');
      await readManifest(out);
      const golden = readGolden<DecoderGolden>(OPT);
      expect(await decoderParity(out, golden)).toEqual(await decoderParity(await built(OPT, precision), golden));
    },
  );

  it('of a sharded checkpoint give the same graph', async () => {
    const checkpoint = shardedCopy('opt-two-heads-f32');
    expect(await sha256(path.join(await built(checkpoint, 'fp32'), 'model.onnx'))).toBe(
      await sha256(path.join(await built(OPT, 'fp32'), 'model.onnx')),
    );
  });
});

/** The tensors of a fixture dealt out to two files. */
function shardedCopy(fixture: string): string {
  const folder = copyOf(fixture);
  const file = path.join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const { __metadata__: _, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, Entry>;
  const data = bytes.subarray(8 + length);
  const weightMap: Record<string, string> = {};
  for (const shard of [0, 1]) {
    const name = `model-0000${shard + 1}-of-00002.safetensors`;
    const parts: Uint8Array[] = [];
    const entries: Record<string, Entry> = {};
    let end = 0;
    for (const [tensor, entry] of Object.entries(header).filter((__, i) => i % 2 === shard)) {
      const part = data.subarray(...entry.data_offsets);
      entries[tensor] = { ...entry, data_offsets: [end, end + part.length] };
      end += part.length;
      parts.push(part);
      weightMap[tensor] = name;
    }
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, name), safetensors(entries, Buffer.concat(parts)));
  }
  rmSync(file);
  writeFileSync(
    path.join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: {}, weight_map: weightMap }),
  );
  return folder;
}
