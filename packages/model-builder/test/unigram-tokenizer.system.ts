/** Does a tokenizer of XLM-RoBERTa's kind (Unigram, with a precompiled charsmap) give the ids of the Rust library on hard texts? */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { beforeAll, expect, it, vi } from 'vitest';
import { HARD_TEXTS, TEXTS_WITH_SPECIALS } from './hard-texts.ts';
import { hasReference, REFERENCE } from './python.ts';
import { runReference } from './reference.ts';
import { scratchFolder } from './scratch-folder.ts';

vi.setConfig({ hookTimeout: 300_000, testTimeout: 300_000 });

interface Golden {
  readonly ids: number[];
  readonly decoded: string;
}

const folder = scratchFolder();
const texts = [...HARD_TEXTS, ...TEXTS_WITH_SPECIALS];
beforeAll(() => {
  if (!hasReference) return;
  writeFileSync(path.join(folder, 'texts.json'), JSON.stringify(texts));
  runReference('make_unigram_tokenizers.py', path.join(folder, 'texts.json'), folder);
});

it.skipIf(!hasReference).each(['split', 'replace', 'strip'])(
  `written as %s: the same ids on every text, and the same text back (needs ${REFERENCE})`,
  async (kind) => {
    const golden = JSON.parse(readFileSync(path.join(folder, kind, 'golden.json'), 'utf8')) as Golden[];
    const tokenizer = await Tokenizer.load(path.join(folder, kind));
    for (const [i, text] of texts.entries()) {
      const shown = JSON.stringify(text.slice(0, 60));
      expect(tokenizer.encode(text, { parseSpecials: true }), shown).toEqual(golden[i]!.ids);
      expect(tokenizer.decode(golden[i]!.ids), shown).toBe(golden[i]!.decoded);
      // Without special tokens in it a text is the same to the way that users' texts go.
      if (i < HARD_TEXTS.length) expect(tokenizer.encode(text), shown).toEqual(golden[i]!.ids);
    }
    expect(golden.flatMap(({ ids }) => ids).length).toBeGreaterThan(10_000);
  },
);
