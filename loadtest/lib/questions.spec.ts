import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lengthened, parseQuestions } from './questions.ts';

test('every line is a question, but for empty ones and remarks', () => {
  expect(parseQuestions('# what we ask\nWho?\r\n\n  Why?  \n')).toEqual(['Who?', 'Why?']);
  expect(() => parseQuestions('# nothing\n\n')).toThrow(/has none/);
});

test('the questions that come with the load tests are questions, each once', () => {
  const questions = parseQuestions(readFileSync(new URL('../questions.txt', import.meta.url), 'utf8'));
  expect(questions.length).toBeGreaterThanOrEqual(40);
  expect(new Set(questions).size).toBe(questions.length);
});

test('a question is made as long as a trace says, and never shorter', () => {
  const words = (text: string) => text.split(' ').length;
  expect(words(lengthened('Which animals can hover?', 100))).toBe(99);
  expect(lengthened('Which animals can hover?', 100)).toMatch(/ Which animals can hover\?$/);
  expect(lengthened('Which animals can hover?', 3)).toBe('Which animals can hover?');
});
