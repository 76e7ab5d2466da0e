/** Is every checkpoint that cannot be built refused in one line that names the file and the tensor or field? */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildModel } from '../src/build.ts';
import { GraphBuilder } from '../src/graph-builder.ts';
import { productsOf } from '../src/linear.ts';
import { copyOf, safetensors, withConfig, withHeader } from './broken-checkpoint.ts';
import { scratchFolder } from './scratch-folder.ts';

const OPT = 'opt-two-heads-f32';
const BERT = 'bert-two-heads-f32';
const QWEN2 = 'qwen2-tied-f32';
const LLAMA = 'llama-scaled-f32';
const EMBEDDING = 'model.decoder.embed_tokens.weight';

async function refusal(checkpoint: string, precision: 'fp32' | 'fp16' = 'fp32'): Promise<string> {
  const out = path.join(scratchFolder(), 'model');
  const error = await buildModel({ checkpoint, out, precision }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(error?.name).toBe('BuildError');
  expect(error?.message).not.toContain('\n');
  expect(readdirSync(path.dirname(out))).toEqual([]);
  return error!.message.replaceAll(checkpoint, 'DIR');
}

describe('the folder', () => {
  it('is missing', async () => {
    expect(await refusal('/nowhere/at/all')).toBe('DIR is not a folder');
  });

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'])('lacks %s', async (name) => {
    const checkpoint = copyOf(OPT);
    rmSync(path.join(checkpoint, name));
    expect(await refusal(checkpoint)).toContain(name);
  });

  it('has an output in its way, which stays as it is without force', async () => {
    const out = path.join(scratchFolder(), 'model');
    const checkpoint = copyOf(OPT);
    await buildModel({ checkpoint, out, precision: 'fp32' });
    writeFileSync(path.join(out, 'mine'), 'precious');
    await expect(buildModel({ checkpoint, out, precision: 'w8' })).rejects.toThrow(
      `${out} exists; --force replaces it`,
    );
    expect(readFileSync(path.join(out, 'mine'), 'utf8')).toBe('precious');
    expect(await buildModel({ checkpoint, out, precision: 'w8', force: true })).toMatchObject({ precision: 'w8' });
    expect(existsSync(path.join(out, 'mine'))).toBe(false);
  });

  it('is told to replace a folder that is no model, and does not', async () => {
    const out = scratchFolder();
    writeFileSync(path.join(out, 'mine'), 'precious');
    const build = buildModel({ checkpoint: copyOf(OPT), out, precision: 'fp32', force: true });
    await expect(build).rejects.toThrow(`${out} has no manifest.json: --force would delete something else`);
    expect(readFileSync(path.join(out, 'mine'), 'utf8')).toBe('precious');
  });
});

describe('the configuration', () => {
  it.each([
    [
      OPT,
      { model_type: 'mamba' },
      "DIR/config.json: model_type 'mamba' is not supported (known: bert, xlm-roberta, opt, qwen2, llama)",
    ],
    [OPT, { hidden_size: 'wide' }, 'DIR/config.json: hidden_size: '],
    [OPT, { do_layer_norm_before: false }, 'DIR/config.json: do_layer_norm_before: false is not supported'],
    [OPT, { word_embed_proj_dim: 16 }, 'DIR/config.json: word_embed_proj_dim: 16 is not supported'],
    [OPT, { activation_function: 'gelu' }, "DIR/config.json: activation_function: 'gelu' is not supported"],
    [OPT, { enable_bias: false }, 'DIR/config.json: enable_bias: false is not supported'],
    [OPT, { tie_word_embeddings: false }, 'DIR/config.json: tie_word_embeddings: false is not supported'],
    [OPT, { num_attention_heads: 5 }, 'DIR/config.json: num_attention_heads: 5 does not divide hidden_size (32)'],
    [BERT, { hidden_act: 'relu' }, "DIR/config.json: hidden_act: 'relu' is not supported"],
    [BERT, { is_decoder: true }, 'DIR/config.json: is_decoder: true is not supported'],
    [QWEN2, { hidden_act: 'gelu' }, "DIR/config.json: hidden_act: 'gelu' is not supported, only 'silu'"],
    [QWEN2, { use_sliding_window: true }, 'DIR/config.json: use_sliding_window: true is not supported'],
    [
      QWEN2,
      { layer_types: ['full_attention', 'sliding_attention'] },
      "DIR/config.json: layer_types: 'sliding_attention' is not supported, only 'full_attention'",
    ],
    [QWEN2, { num_attention_heads: 5 }, 'DIR/config.json: num_attention_heads: 5 does not divide hidden_size (64)'],
    [QWEN2, { num_attention_heads: 8 }, 'DIR/config.json: head_dim: 8 is not supported, only multiples of 16'],
    [
      QWEN2,
      { num_key_value_heads: 3 },
      'DIR/config.json: num_key_value_heads: 3 does not divide num_attention_heads (4)',
    ],
    [QWEN2, { eos_token_id: null }, 'DIR/config.json: eos_token_id is missing'],
    [
      LLAMA,
      { rope_parameters: { rope_type: 'yarn', factor: 4 } },
      "DIR/config.json: rope_parameters: rope_type 'yarn' is not supported, only default, linear and llama3",
    ],
    [LLAMA, { rope_parameters: { rope_type: 'linear' } }, 'DIR/config.json: rope_parameters: linear needs factor'],
    [
      LLAMA,
      { rope_parameters: undefined, rope_scaling: { type: 'dynamic', factor: 2 } },
      "DIR/config.json: rope_scaling: rope_type 'dynamic' is not supported",
    ],
    [LLAMA, { rms_norm_eps: 0 }, 'DIR/config.json: rms_norm_eps: '],
  ])('of %s with %o', async (fixture, changes, message) => {
    expect(await refusal(withConfig(fixture, changes))).toContain(message);
  });

  it('has a chat template that cannot be used', async () => {
    const checkpoint = copyOf(QWEN2);
    writeFileSync(path.join(checkpoint, 'chat_template.jinja'), '{% for message in %}');
    expect(await refusal(checkpoint)).toContain('DIR/chat_template.jinja: the chat template cannot be used: ');
    writeFileSync(path.join(checkpoint, 'chat_template.jinja'), "{{ raise_exception('only questions') }}");
    expect(await refusal(checkpoint)).toContain('DIR/chat_template.jinja: the chat template cannot be used: ');
  });

  it('is not JSON', async () => {
    const checkpoint = copyOf(OPT);
    writeFileSync(path.join(checkpoint, 'config.json'), '{');
    expect(await refusal(checkpoint)).toContain('DIR/config.json is not JSON');
  });

  it('asks for a precision that is not there yet', async () => {
    expect(await refusal(copyOf(OPT), 'fp16')).toContain('precision fp16 is not supported yet');
  });

  it('has rows that blocks of 32 do not divide', () => {
    const weight = { name: 'odd', shape: [8, 48], read: () => new Float32Array(8 * 48) };
    const graph = new GraphBuilder('test');
    expect(() => productsOf('w4', graph).project(graph.input('x', 'float32', ['T', 48]), { weight })).toThrow(
      'tensor odd has rows of 48; precision w4 needs a multiple of 32',
    );
  });
});

describe('the tensors', () => {
  it('lack one', async () => {
    const checkpoint = withHeader(OPT, (header) => {
      delete header['model.decoder.layers.1.fc2.bias'];
    });
    expect(await refusal(checkpoint)).toBe('DIR: tensor model.decoder.layers.1.fc2.bias is missing');
  });

  it.each([
    [QWEN2, 'model.layers.1.self_attn.k_proj.bias'],
    [LLAMA, 'model.layers.0.mlp.up_proj.weight'],
    ['llama-untied-f16', 'lm_head.weight'],
    ['xlm-roberta-two-heads-f32', 'encoder.layer.1.attention.self.value.weight'],
  ])('of %s lack %s', async (fixture, tensor) => {
    const checkpoint = withHeader(fixture, (header) => {
      delete header[tensor];
    });
    expect(await refusal(checkpoint)).toBe(`DIR: tensor ${tensor} is missing`);
  });

  it.each([
    [QWEN2, { num_key_value_heads: 4 }, 'model.layers.0.self_attn.k_proj.weight', [32, 64], [64, 64]],
    [LLAMA, { head_dim: 32 }, 'model.layers.0.self_attn.q_proj.weight', [64, 32], [128, 32]],
    [
      'xlm-roberta-two-heads-f32',
      { max_position_embeddings: 40 },
      'embeddings.position_embeddings.weight',
      [50, 32],
      [40, 32],
    ],
  ])('of %s with %o have another shape', async (fixture, changes, tensor, found, wanted) => {
    expect(await refusal(withConfig(fixture, changes))).toBe(
      `DIR/model.safetensors: tensor ${tensor} has shape [${found}]; the configuration asks for [${wanted}]`,
    );
  });

  it('lack the first', async () => {
    const checkpoint = withHeader(OPT, (header) => {
      delete header[EMBEDDING];
    });
    expect(await refusal(checkpoint)).toBe(`DIR: tensor ${EMBEDDING} is missing`);
  });

  it('have another shape than the configuration', async () => {
    expect(await refusal(withConfig(OPT, { vocab_size: 301 }))).toMatch(
      /^DIR\/model.safetensors: tensor model.decoder.embed_tokens.weight has shape \[\d+,32\]; the configuration asks for \[301,32\]$/,
    );
  });

  it('have a type that is not supported', async () => {
    const checkpoint = withHeader(OPT, (header) => {
      header[EMBEDDING]!.dtype = 'I32';
    });
    expect(await refusal(checkpoint)).toBe(
      `DIR/model.safetensors: tensor ${EMBEDDING} has type I32; F32, F16 and BF16 are supported`,
    );
  });

  it.each([
    [
      'overlap',
      (entry: { data_offsets: [number, number] }) => {
        entry.data_offsets[0] -= 4;
        entry.data_offsets[1] -= 4;
      },
      'overlaps',
    ],
    [
      'do not fill their range',
      (entry: { data_offsets: [number, number] }) => (entry.data_offsets[1] -= 4),
      'bytes of data instead of',
    ],
    [
      'end before they begin',
      (entry: { data_offsets: [number, number] }) => entry.data_offsets.reverse(),
      'bytes of data instead of',
    ],
    ['have no offsets', (entry: { data_offsets?: unknown }) => delete entry.data_offsets, 'is not valid'],
  ])('%s', async (_, change, message) => {
    const checkpoint = withHeader(OPT, (header) => {
      change(header['model.decoder.layers.1.fc1.weight']!);
    });
    expect(await refusal(checkpoint)).toMatch(
      new RegExp(`^DIR/model.safetensors: .*tensor model.decoder.layers.1.*${message}`),
    );
  });
});

describe('the safetensors file', () => {
  it.each([
    ['in its data', 100_000, /^DIR\/model.safetensors is cut short: 100000 bytes, tensor .* ends at \d+$/],
    ['in its header', 500, /^DIR\/model.safetensors is cut short: 500 bytes, its header ends at \d+$/],
    ['in its length', 5, /^DIR\/model.safetensors is cut short: 5 bytes/],
  ])('is cut short %s', async (_, bytes, message) => {
    const checkpoint = copyOf(OPT);
    truncateSync(path.join(checkpoint, 'model.safetensors'), bytes);
    expect(await refusal(checkpoint)).toMatch(message);
  });

  it.each([
    ['another format', Buffer.from('PK\u0003\u0004 this is a zip, not tensors'), 'is not safetensors'],
    ['a header that is not JSON', safetensors('{"a":', new Uint8Array(8)), 'not valid JSON'],
    ['a header that is a list', safetensors('[]', new Uint8Array(8)), 'not an object of tensors'],
  ])('is %s', async (_, bytes, message) => {
    const checkpoint = copyOf(OPT);
    writeFileSync(path.join(checkpoint, 'model.safetensors'), bytes);
    expect(await refusal(checkpoint)).toContain(message);
  });

  it('is one of several, and the index names a shard that is not there', async () => {
    const checkpoint = copyOf(OPT);
    rmSync(path.join(checkpoint, 'model.safetensors'));
    const index = { weight_map: { [EMBEDDING]: 'model-00001-of-00002.safetensors' } };
    writeFileSync(path.join(checkpoint, 'model.safetensors.index.json'), JSON.stringify(index));
    expect(await refusal(checkpoint)).toContain('DIR/model-00001-of-00002.safetensors is missing');
  });
});
