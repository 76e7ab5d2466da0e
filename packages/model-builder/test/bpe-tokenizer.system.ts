/** Does a tokenizer made from vocab.json and merges.txt give the ids that `transformers` gives from the same files? */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { expect, it, vi } from 'vitest';
import { tokenizerFromMerges } from '../src/bpe-tokenizer.ts';
import { HARD_TEXTS, TEXTS_WITH_SPECIALS } from './hard-texts.ts';
import { hasReference, REFERENCE, runPython } from './python.ts';
import { scratchFolder } from './scratch-folder.ts';

// Python with its libraries takes ten seconds to start on a busy machine.
vi.setConfig({ testTimeout: 300_000 });

const described = (content: string) => ({
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: true,
  __type: 'AddedToken',
});
/** As the two models say it on the hub. */
const KINDS = {
  opt: {
    trained: ['<s>', '<pad>', '</s>', '<unk>'],
    config: {
      errors: 'replace',
      unk_token: described('</s>'),
      bos_token: described('</s>'),
      eos_token: described('</s>'),
      pad_token: described('<pad>'),
      add_prefix_space: false,
      add_bos_token: true,
      tokenizer_class: 'GPT2Tokenizer',
    },
  },
  qwen2: {
    trained: [],
    config: {
      add_bos_token: false,
      add_prefix_space: false,
      added_tokens_decoder: Object.fromEntries(
        ['<|endoftext|>', '<|im_start|>', '<|im_end|>'].map((content, i) => [
          1000 + i,
          { content, lstrip: false, normalized: false, rstrip: false, single_word: false, special: true },
        ]),
      ),
      additional_special_tokens: ['<|im_start|>', '<|im_end|>'],
      bos_token: null,
      eos_token: '<|im_end|>',
      pad_token: '<|endoftext|>',
      unk_token: null,
      tokenizer_class: 'Qwen2Tokenizer',
    },
  },
} as const;

/** Trains on the texts themselves, so that merges apply everywhere. */
const TRAIN = `
import json, sys
from pathlib import Path
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers, Regex
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX
folder, kind = Path(sys.argv[1]), sys.argv[2]
texts = json.loads((folder / "texts.json").read_text())
tokenizer = Tokenizer(models.BPE())
if kind == "qwen2":
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
else:
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(vocab_size=1000, special_tokens=json.loads(sys.argv[3]), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
tokenizer.train_from_iterator([text for text in texts if len(text) < 10000], trainer)
tokenizer.model.save(str(folder))
`;
const ENCODE = `
import json, sys
from pathlib import Path
from transformers import AutoTokenizer
folder = Path(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(folder)
ids = [tokenizer(text)["input_ids"] for text in json.loads((folder / "texts.json").read_text())]
(folder / "ids.json").write_text(json.dumps({"ids": ids, "decoded": [tokenizer.decode(one, skip_special_tokens=True) for one in ids]}))
`;

it.skipIf(!hasReference).each(['opt', 'qwen2'] as const)(
  `%s: the same ids on every text, and the same text back (needs ${REFERENCE})`,
  async (kind) => {
    const folder = scratchFolder();
    const texts = [...HARD_TEXTS, ...TEXTS_WITH_SPECIALS];
    const { config, trained } = KINDS[kind];
    writeFileSync(path.join(folder, 'texts.json'), JSON.stringify(texts));
    await runPython(TRAIN, {}, folder, kind, JSON.stringify(trained));
    writeFileSync(path.join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ model_type: kind }));
    await runPython(ENCODE, {}, folder);
    const { ids, decoded } = (await import(path.join(folder, 'ids.json'), { with: { type: 'json' } })).default as {
      ids: number[][];
      decoded: string[];
    };

    const ours = path.join(folder, 'ours');
    mkdirSync(ours);
    writeFileSync(
      path.join(ours, 'tokenizer.json'),
      JSON.stringify(tokenizerFromMerges((name) => path.join(folder, name))),
    );
    writeFileSync(path.join(ours, 'tokenizer_config.json'), JSON.stringify(config));
    const tokenizer = await Tokenizer.load(ours);
    for (const [i, text] of texts.entries()) {
      expect(tokenizer.encode(text, { parseSpecials: true }), JSON.stringify(text.slice(0, 60))).toEqual(ids[i]);
      expect(tokenizer.decode(ids[i]!), JSON.stringify(text.slice(0, 60))).toBe(decoded[i]);
    }
    expect(ids.flat().length).toBeGreaterThan(10_000);
  },
);
