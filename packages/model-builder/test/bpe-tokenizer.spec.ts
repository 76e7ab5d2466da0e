/** Does a checkpoint with vocab.json and merges.txt build as one with the tokenizer.json of the same tokens, and is a wrong one refused by its line? */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { expect, it } from 'vitest';
import { tokenizerFromMerges } from '../src/bpe-tokenizer.ts';
import { buildModel } from '../src/build.ts';
import { copyOf } from './broken-checkpoint.ts';
import { built, FIXTURES } from './golden.ts';
import { scratchFolder } from './scratch-folder.ts';

const OPT = 'opt-two-heads-f32';
const CONFIG = {
  tokenizer_class: 'GPT2Tokenizer',
  bos_token: '</s>',
  eos_token: '</s>',
  unk_token: '</s>',
  pad_token: '<pad>',
  add_bos_token: true,
};

interface Definition {
  readonly model: { readonly vocab: Record<string, number>; readonly merges: [string, string][] };
}

/** The fixture with its tokens in the older two files. */
function withMerges(
  change: (files: {
    vocab: Record<string, number>;
    lines: string[];
    config: Record<string, unknown>;
  }) => void = () => {},
) {
  const folder = copyOf(OPT);
  const { model } = JSON.parse(readFileSync(path.join(folder, 'tokenizer.json'), 'utf8')) as Definition;
  const files = {
    vocab: { ...model.vocab },
    lines: ['#version: 0.2', ...model.merges.map((pair) => pair.join(' ')), ''],
    config: { ...CONFIG },
  };
  change(files);
  rmSync(path.join(folder, 'tokenizer.json'));
  writeFileSync(path.join(folder, 'vocab.json'), JSON.stringify(files.vocab));
  writeFileSync(path.join(folder, 'merges.txt'), files.lines.join('\n'));
  writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(files.config));
  return folder;
}

const TEXTS = ['', 'The old mill, by the river.', "don't  \n\t 12 bees!", 'Bienenstöcke 水車 🙂', 'a</s>b'];

it('gives the ids that the same tokens give as a tokenizer.json', async () => {
  const theirs = await Tokenizer.load(path.join(FIXTURES, OPT));
  const ours = await Tokenizer.load(await built(withMerges(), 'w8a8'));
  for (const text of TEXTS) {
    expect(ours.encode(text)).toEqual(theirs.encode(text));
    expect(ours.decode(ours.encode(text).slice(1))).toBe(text);
  }
  expect(ours.encode('a</s>b', { parseSpecials: true })).toEqual([
    2,
    ...ours.encode('a').slice(1),
    2,
    ...ours.encode('b').slice(1),
  ]);
});

it('takes U+0085 for white space and U+FEFF for none, as the tokenizers did that made such vocabularies', async () => {
  const folder = scratchFolder();
  const checkpoint = withMerges(({ vocab, lines }) => {
    // Merges over both: which of them apply shows where the text was cut.
    Object.assign(vocab, { Âħ: 900, ÂħĠ: 901, 'ï»': 902, 'ï»¿': 903, 'ï»¿!': 904 });
    lines.push('Â ħ', 'Âħ Ġ', 'ï »', 'ï» ¿', 'ï»¿ !');
  });
  writeFileSync(
    path.join(folder, 'tokenizer.json'),
    JSON.stringify(tokenizerFromMerges((name) => path.join(checkpoint, name))),
  );
  writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(CONFIG));
  const tokenizer = await Tokenizer.load(folder);
  expect(tokenizer.encode('\u0085 ')).toEqual([2, 901]);
  expect(tokenizer.encode('\ufeff!')).toEqual([2, 904]);
});

it('puts special tokens that the vocabulary lacks behind it, and finds those of added_tokens.json', () => {
  const folder = withMerges(({ config }) =>
    Object.assign(config, { additional_special_tokens: ['<|a|>', { content: '<|b|>', lstrip: true }] }),
  );
  writeFileSync(path.join(folder, 'added_tokens.json'), JSON.stringify({ '<|c|>': 400 }));
  const { added_tokens } = tokenizerFromMerges((name) => path.join(folder, name)) as {
    added_tokens: { id: number; content: string; lstrip: boolean; special: boolean }[];
  };
  expect(added_tokens.map(({ id, content, lstrip, special }) => [id, content, lstrip, special])).toEqual([
    [1, '<pad>', false, true],
    [2, '</s>', false, true],
    [400, '<|c|>', false, false],
    [401, '<|a|>', false, true],
    [402, '<|b|>', true, true],
  ]);
});

it.each<[string, Parameters<typeof withMerges>[0], string]>([
  ['a line of three', ({ lines }) => lines.splice(3, 0, 'a b c'), 'merges.txt: line 4 is not a pair of tokens'],
  ['a line of one', ({ lines }) => lines.splice(3, 0, 'ab'), 'merges.txt: line 4 is not a pair of tokens'],
  ['a merge of nothing', ({ lines }) => lines.push('€ ¤'), 'is not in vocab.json'],
  ['a vocabulary that is a list', ({ vocab }) => Object.assign(vocab, { x: 'y' }), 'vocab.json: x: Invalid input'],
  [
    'another kind of tokenizer',
    ({ config }) => Object.assign(config, { tokenizer_class: 'T5Tokenizer' }),
    "tokenizer_config.json: tokenizer_class: 'T5Tokenizer' needs a tokenizer.json (without one: GPT2Tokenizer, Qwen2Tokenizer)",
  ],
  [
    'a prefix',
    ({ config }) => Object.assign(config, { add_prefix_space: true }),
    'tokenizer_config.json: add_prefix_space: true needs a tokenizer.json',
  ],
])('refuses %s', async (_, change, message) => {
  const build = buildModel({
    checkpoint: withMerges(change),
    out: path.join(scratchFolder(), 'model'),
    precision: 'fp32',
  });
  await expect(build).rejects.toMatchObject({ name: 'BuildError', message: expect.stringContaining(message) });
});

it('asks for both files', async () => {
  const checkpoint = withMerges();
  rmSync(path.join(checkpoint, 'merges.txt'));
  const build = buildModel({ checkpoint, out: path.join(scratchFolder(), 'model'), precision: 'fp32' });
  await expect(build).rejects.toThrow(`${checkpoint} has neither tokenizer.json nor vocab.json with merges.txt`);
});
