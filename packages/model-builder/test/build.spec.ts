/** Is a model folder whole, repeatable and as the contract says, whatever form its checkpoint and its weights have? */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readManifest, sha256 } from '@ragscale/inference/manifest';
import { describe, expect, it } from 'vitest';
import { buildModel } from '../src/build.ts';
import { copyOf, type Entry, safetensors, withConfig } from './broken-checkpoint.ts';
import { BUILT_PRECISIONS, built, type DecoderGolden, decoderParity, FIXTURES, readGolden } from './golden.ts';
import { scratchFolder } from './scratch-folder.ts';

const OPT = path.join(FIXTURES, 'opt-two-heads-f32');
const BERT = path.join(FIXTURES, 'bert-two-heads-f32');
const QWEN2 = path.join(FIXTURES, 'qwen2-untied-bf16');
const XLM_ROBERTA = path.join(FIXTURES, 'xlm-roberta-two-heads-f32');

describe('a model folder', () => {
  const checkpoints = [OPT, QWEN2, XLM_ROBERTA].map((folder) => path.basename(folder));
  const builds = checkpoints.flatMap((name) => BUILT_PRECISIONS.map((precision) => [name, precision] as const));
  it.each(builds)('of %s has the same bytes each time in %s', async (name, precision) => {
    const checkpoint = path.join(FIXTURES, name);
    const [once, again] = [await built(checkpoint, precision), await built(checkpoint, precision)];
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

  it('of a chat model has its template, its special tokens and all that ends an answer', async () => {
    const checkpoint = withConfig('qwen2-untied-bf16', {});
    writeFileSync(
      path.join(checkpoint, 'generation_config.json'),
      JSON.stringify({ eos_token_id: [2, 0], pad_token_id: 0, temperature: 0.7 }),
    );
    const manifest = await readManifest(await built(checkpoint, 'w8'));
    expect(manifest).toMatchObject({
      architecture: 'qwen2',
      dimensions: { layers: 2, hidden: 64, heads: 4, kvHeads: 1, headDim: 16, maxTokens: 96 },
      tokens: { eos: [2, 0], pad: 0 },
      prompt: {
        kind: 'chat',
        chatTemplate: readFileSync(path.join(checkpoint, 'chat_template.jinja'), 'utf8'),
        specialTokens: { eos_token: '<|im_end|>', pad_token: '<|endoftext|>' },
      },
    });
  });

  it('finds a chat template in tokenizer_config.json too, also among several', async () => {
    const checkpoint = withConfig('qwen2-untied-bf16', {});
    rmSync(path.join(checkpoint, 'chat_template.jinja'));
    const file = path.join(checkpoint, 'tokenizer_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const promptWith = async (chat_template?: unknown) => {
      writeFileSync(file, JSON.stringify({ ...config, ...(chat_template === undefined ? {} : { chat_template }) }));
      return (await readManifest(await built(checkpoint, 'w8'))).prompt;
    };
    expect(await promptWith('{{ messages }}')).toMatchObject({ kind: 'chat', chatTemplate: '{{ messages }}' });
    const several = [
      { name: 'tool_use', template: 'a' },
      { name: 'default', template: 'b' },
    ];
    expect(await promptWith(several)).toMatchObject({ kind: 'chat', chatTemplate: 'b' });
    expect(await promptWith()).toMatchObject({ kind: 'template' });
  });

  it('takes what stands before texts from sentence-transformers, and for a known model from the catalogue', async () => {
    const commit = '0123456789012345678901234567890123456789';
    const pulled = path.join(scratchFolder(), 'models--intfloat--multilingual-e5-large-instruct/snapshots', commit);
    cpSync(XLM_ROBERTA, pulled, { recursive: true });
    const known = await readManifest(await built(pulled, 'fp32'));
    expect(known).toMatchObject({
      name: 'intfloat/multilingual-e5-large-instruct',
      licence: 'MIT',
      source: `intfloat/multilingual-e5-large-instruct@${commit}`,
      dimensions: { maxTokens: 48 },
      tokens: { pad: 1 },
    });
    expect(known.prompt).toEqual({
      query: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: {text}',
      passage: '{text}',
    });
    const checkpoint = withConfig('xlm-roberta-two-heads-f32', {});
    const prompts = { prompts: { query: 'query: ', document: 'passage: ' }, default_prompt_name: null };
    writeFileSync(path.join(checkpoint, 'config_sentence_transformers.json'), JSON.stringify(prompts));
    expect((await readManifest(await built(checkpoint, 'fp32'))).prompt).toEqual({
      query: 'query: {text}',
      passage: 'passage: {text}',
    });
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
