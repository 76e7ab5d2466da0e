/** Can every model of the catalogue be synthesized and built, and does its tokenizer take any text? */
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from '@ragscale/inference/manifest';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { expect, it } from 'vitest';
import { buildModel } from '../src/build.ts';
import { catalogueEntry } from '../src/catalogue.ts';
import { parametersOf, synthesizeCheckpoint } from '../src/synth.ts';
import { syntheticTokenizer } from '../src/synthetic-tokenizer.ts';
import { DecoderRunner, EncoderRunner } from './graph-runner.ts';
import { scratchFolder } from './scratch-folder.ts';

const ENCODER = 'sentence-transformers/all-MiniLM-L6-v2';

function synthesized(name: string, seed = 0): string {
  const out = path.join(scratchFolder(), 'checkpoint');
  synthesizeCheckpoint({ name, out, seed });
  return out;
}

async function builtFrom(checkpoint: string): Promise<string> {
  const out = path.join(scratchFolder(), 'model');
  await buildModel({ checkpoint, out, precision: 'w8a8' });
  return out;
}

it('knows how many weights the published models have', () => {
  // As the hub counts them; the encoder's pooler (384 x 384 + 384) is not used.
  expect(parametersOf(catalogueEntry('facebook/opt-125m')!)).toBe(125_239_296);
  expect(parametersOf(catalogueEntry(ENCODER)!)).toBe(22_713_216 - 147_840);
  expect(parametersOf(catalogueEntry('Qwen/Qwen2.5-1.5B-Instruct')!)).toBe(1_543_714_304);
  // The pooler (1024 x 1024 + 1024) is not used.
  expect(parametersOf(catalogueEntry('intfloat/multilingual-e5-large-instruct')!)).toBe(559_890_432 - 1_049_600);
});

it('makes a decoder that generates, with the published special tokens', async () => {
  const checkpoint = synthesized('tiny-rag-opt');
  const tokenizer = await Tokenizer.load(checkpoint);
  const text = 'Any text: ünïcödé, 漢字, 🙂\n';
  const ids = tokenizer.encode(text);
  expect(ids[0]).toBe(2);
  expect(tokenizer.decode(ids.slice(1))).toBe(text);
  const runner = await DecoderRunner.open(await builtFrom(checkpoint), 1, 128);
  const generated = await runner.greedy(ids, 8);
  expect(typeof tokenizer.decode(generated)).toBe('string');
  expect(runner.manifest.source).toBe('random weights of the shape of tiny-rag-opt, seed 0');
  runner.close();
});

it('makes an encoder that embeds', async () => {
  const checkpoint = synthesized(ENCODER);
  const ids = (await Tokenizer.load(checkpoint)).encode('Hello, world');
  expect([ids[0], ids.at(-1)]).toEqual([101, 102]);
  expect(ids).not.toContain(100);
  const runner = await EncoderRunner.open(await builtFrom(checkpoint));
  expect((await runner.embed([ids]))[0]).toHaveLength(384);
  runner.close();
});

it.each([
  ['xlm-roberta', 250_002, [0], [2]],
  ['qwen2', 151_936, [], []],
  ['opt', 50_272, [2], []],
] as const)(
  'has a tokenizer for %s with the published ids, which takes any text',
  async (modelType, vocabulary, before, after) => {
    const folder = scratchFolder();
    for (const [name, json] of Object.entries(syntheticTokenizer(modelType, vocabulary)))
      writeFileSync(path.join(folder, name), JSON.stringify(json));
    const tokenizer = await Tokenizer.load(folder);
    const text = 'Any text, in words.';
    const ids = tokenizer.encode(text);
    expect(ids.slice(0, before.length)).toEqual(before);
    expect(ids.slice(ids.length - after.length)).toEqual(after);
    const inner = ids.slice(before.length, ids.length - after.length);
    expect(tokenizer.decode(inner)).toBe(text);
    expect(Math.max(...ids)).toBeLessThan(vocabulary);
    if (modelType === 'qwen2') expect(tokenizer.encode('<|im_end|>', { parseSpecials: true })).toEqual([151_645]);
  },
);

it('gives the same bytes for a seed and others for another', async () => {
  const [a, b, c] = await Promise.all(
    [synthesized('tiny-rag-opt', 1), synthesized('tiny-rag-opt', 1), synthesized('tiny-rag-opt', 2)].map((folder) =>
      sha256(path.join(folder, 'model.safetensors')),
    ),
  );
  expect(a).toBe(b);
  expect(a).not.toBe(c);
});

it('refuses names that are not in the catalogue and folders that exist', () => {
  const out = scratchFolder();
  expect(() => synthesizeCheckpoint({ name: 'nobody/nothing', out, seed: 0 })).toThrow(
    /^nobody\/nothing is not in the catalogue \(known: /,
  );
  expect(() => synthesizeCheckpoint({ name: 'tiny-rag-opt', out, seed: 0 })).toThrow(
    `${out} exists; --force replaces it`,
  );
  expect(statSync(out).isDirectory()).toBe(true);
});
