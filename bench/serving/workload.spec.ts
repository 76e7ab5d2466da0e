import { expect, test } from 'vitest';
import { documentLines, EQUAL_TOKENS, MIXED_TOKENS, questions } from './workload.ts';

const COUNT = 2_000;

test('no two questions are alike, nor do they begin alike', () => {
  const asked = questions('equal', 1)
    .take(COUNT)
    .map(({ query }) => query)
    .toArray();
  expect(new Set(asked).size).toBe(COUNT);
  const beginnings = new Set(asked.map((query) => query.slice(0, 4)));
  expect(beginnings.size).toBeGreaterThan(COUNT / 2);
});

test('a prompt has 80 bytes at the mean, template and first token included', () => {
  const mean = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
  const query = mean(
    questions('equal', 1)
      .take(COUNT)
      .map((question) => question.query)
      .toArray(),
  );
  const passage = mean(documentLines(COUNT, 2).map((line) => (JSON.parse(line) as { text: string }).text));
  const template = 'Question: \nContext:\n\n\nAnswer:'.length + 1;
  expect(template + query + 2 * passage).toBeGreaterThan(77);
  expect(template + query + 2 * passage).toBeLessThan(83);
});

test('lengths are equal, or every one as likely', () => {
  const lengths = (outputs: 'equal' | 'mixed') =>
    questions(outputs, 1)
      .take(COUNT)
      .map((question) => question.max_tokens)
      .toArray();
  expect(new Set(lengths('equal'))).toEqual(new Set([EQUAL_TOKENS]));
  const mixed = lengths('mixed');
  expect(Math.min(...mixed)).toBe(MIXED_TOKENS.least);
  expect(Math.max(...mixed)).toBe(MIXED_TOKENS.most);
  expect(mixed.reduce((sum, length) => sum + length, 0) / COUNT).toBeCloseTo(68, -0.5);
});

test('a seed gives the same questions and documents again', () => {
  expect(questions('mixed', 7).take(20).toArray()).toEqual(questions('mixed', 7).take(20).toArray());
  expect(documentLines(20, 7)).toEqual(documentLines(20, 7));
});
