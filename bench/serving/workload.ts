/**
 * What is asked, about which documents, and how long are the answers? Made-up words, so that no two questions share more than the
 * template's first word, and lengths such that a filled prompt has about 80 tokens of the synthetic byte-level tokenizer.
 */
import { randomIntegers } from '@ragscale/model-builder/random-values';

/** `equal`: 64 new tokens each; `mixed`: 8 to 128, every length as likely. */
export type Outputs = 'equal' | 'mixed';

export interface RagQuestion {
  readonly query: string;
  readonly k: number;
  readonly max_tokens: number;
  readonly ignore_eos: true;
}

export const EQUAL_TOKENS = 64;
export const MIXED_TOKENS = { least: 8, most: 128 } as const;
export const PASSAGES_ASKED = 2;

const CONSONANTS = 'bcdfghjklmnprstvwz';
const VOWELS = 'aeiou';

type Draw = (bound: number) => number;

function word(draw: Draw): string {
  const syllable = () => CONSONANTS[draw(CONSONANTS.length)]! + VOWELS[draw(VOWELS.length)]!;
  return Array.from({ length: 2 + draw(2) }, syllable).join('');
}

function sentence(draw: Draw, words: number, end: string): string {
  return Array.from({ length: words }, () => word(draw)).join(' ') + end;
}

/** Lines of a DOCUMENTS file: each document is one passage. */
export function documentLines(count: number, seed: number): string[] {
  const draw = randomIntegers(seed);
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({ id: `document-${i}`, text: sentence(draw, 2 + draw(2), '.') }),
  );
}

/** An endless row of questions, no two alike. */
export function* questions(outputs: Outputs, seed: number): Generator<RagQuestion, never> {
  const draw = randomIntegers(seed);
  const asked = new Set<string>();
  for (;;) {
    const query = sentence(draw, 3 + draw(2), '?');
    const max_tokens =
      outputs === 'equal' ? EQUAL_TOKENS : MIXED_TOKENS.least + draw(MIXED_TOKENS.most - MIXED_TOKENS.least + 1);
    if (asked.has(query)) continue;
    asked.add(query);
    yield { query, k: PASSAGES_ASKED, max_tokens, ignore_eos: true };
  }
}
