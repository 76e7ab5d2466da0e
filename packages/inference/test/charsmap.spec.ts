/** Are texts normalized by a precompiled charsmap as the Rust library does it? (test/reference/make_charsmaps.py; whole tokenizers: unigram-tokenizer.system.ts) */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Charsmap } from '../src/charsmap.ts';

const fixtures = JSON.parse(readFileSync(path.join(import.meta.dirname, 'fixtures/charsmaps.json'), 'utf8')) as {
  readonly charsmap: string;
  readonly cases: readonly (readonly [string, string])[];
}[];

describe.each([
  ['leaves ASCII alone', fixtures[0]!],
  ['changes ASCII too', fixtures[1]!],
] as const)('a table that %s', (_, fixture) => {
  it.each(fixture.cases)('makes of %j %j', (text, normalized) => {
    const charsmap = new Charsmap(fixture.charsmap);
    expect(charsmap.normalize(text)).toBe(normalized);
    expect(charsmap.normalize(text)).toBe(normalized);
  });
});

it('refuses a table that is cut short', () => {
  const { charsmap } = fixtures[0]!;
  for (const cut of ['', 'AAQA', charsmap.slice(0, charsmap.length / 2)]) {
    expect(() => new Charsmap(cut)).toThrow('precompiled_charsmap is cut short');
  }
});
