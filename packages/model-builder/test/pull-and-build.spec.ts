/** From a name to answers: are the files that the hub has of OPT-125m (a PyTorch file, vocab.json, merges.txt) pulled, built and right? */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildModel } from '../src/build.ts';
import { PINNED_REVISIONS } from '../src/hub/pinned-revisions.ts';
import { pulledFolder, pullModel } from '../src/hub/pull.ts';
import { hubSettings } from '../src/hub/settings.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { EMPTY_DICT, pickle, SET_ITEM, tensor, text, zip } from './crafted-pickle.ts';
import { type DecoderGolden, decoderParity, FIXTURES, readGolden } from './golden.ts';
import { HubServer } from './hub-server.ts';
import { scratchFolder } from './scratch-folder.ts';

const NAME = 'facebook/opt-125m';
const fixture = path.join(FIXTURES, 'opt-two-heads-f32');

/** The weights of a safetensors file as torch.save would write them. */
function asPytorch(file: string): Buffer {
  const tensors = [...readSafetensors(file)];
  const bytes = readFileSync(file);
  const items = tensors.flatMap(([name, { shape, bytes: length }], i) => {
    const strides = shape.map((_, dimension) =>
      shape.slice(dimension + 1).reduce((product, extent) => product * extent, 1),
    );
    return [text(name), tensor({ key: String(i), elements: length / 4, shape, strides }), SET_ITEM];
  });
  const data = tensors.map(([, { start, bytes: length }], i) => ({
    name: `archive/data/${i}`,
    content: bytes.subarray(start, start + length),
  }));
  return zip([{ name: 'archive/data.pkl', content: pickle(EMPTY_DICT, ...items) }, ...data]);
}

let server: HubServer;
beforeAll(async () => {
  server = await HubServer.start();
  const { model } = JSON.parse(readFileSync(path.join(fixture, 'tokenizer.json'), 'utf8'));
  const content = (value: unknown) => ({
    content: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  });
  const config = {
    tokenizer_class: 'GPT2Tokenizer',
    bos_token: '</s>',
    eos_token: '</s>',
    pad_token: '<pad>',
    unk_token: '</s>',
    add_bos_token: true,
  };
  server.addAt(PINNED_REVISIONS[NAME]!, NAME, {
    '.gitattributes': content('*.bin filter=lfs'),
    'LICENSE.md': content('a licence'),
    'config.json': { content: readFileSync(path.join(fixture, 'config.json')) },
    'generation_config.json': content({ eos_token_id: 2 }),
    'special_tokens_map.json': content({}),
    'tokenizer_config.json': content(config),
    'vocab.json': content(model.vocab),
    'merges.txt': content(`#version: 0.2\n${model.merges.map((pair: string[]) => pair.join(' ')).join('\n')}\n`),
    'pytorch_model.bin': { content: asPytorch(path.join(fixture, 'model.safetensors')), lfs: true },
    'tf_model.h5': { content: Buffer.alloc(1000), lfs: true },
  });
});
afterAll(() => server.stop());

it('pulls the pinned commit by its name, builds it, and gives what the reference gives', async () => {
  const settings = hubSettings({ HF_ENDPOINT: server.endpoint, HF_HOME: scratchFolder() });
  expect(pulledFolder(NAME, settings)).toBeUndefined();
  const { folder, commit } = await pullModel({ model: NAME, settings });
  expect(pulledFolder(NAME, settings)).toBe(folder);
  expect(commit).toBe(PINNED_REVISIONS[NAME]);
  // Nothing was asked about branches: a pinned commit is known.
  expect(server.log.filter(({ url }) => url.includes('/revision/'))).toEqual([]);
  expect(server.requestsFor('tf_model.h5')).toEqual([]);

  const out = path.join(scratchFolder(), 'model');
  await buildModel({ checkpoint: folder, out, precision: 'fp32', provenance: { name: NAME } });
  const parity = await decoderParity(out, readGolden<DecoderGolden>(fixture));
  expect(parity.largestLogitError).toBeLessThan(1e-4);
  expect(parity.greedyAgreement).toBe(1);
  const [theirs, ours] = [await Tokenizer.load(fixture), await Tokenizer.load(out)];
  expect(ours.encode('What color is the sky?')).toEqual(theirs.encode('What color is the sky?'));
});
