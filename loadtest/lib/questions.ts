/** What is asked? One question after the other from a list, and as long as a trace says. */

/** One question a line; empty lines and those that begin with # are none. @throws Error when there is no question */
export function parseQuestions(text: string): string[] {
  const questions = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (questions.length === 0) throw new Error('the file of questions has none; write one a line');
  return questions;
}

/** Ordinary words are about a token each. */
const FILLER = 'and then the old man said that it was not so far from here as you may think'.split(' ');

/** A question of about `tokens` tokens: words are put before it where it is shorter. Longer questions stay as they are. */
export function lengthened(question: string, tokens: number): string {
  const missing = Math.floor(tokens) - tokensOf(question);
  if (missing <= 0) return question;
  return `${Array.from({ length: missing }, (_, index) => FILLER[index % FILLER.length]).join(' ')}. ${question}`;
}

/** About: a token a word, and one for what ends a sentence. */
function tokensOf(text: string): number {
  return text.split(' ').length + 1;
}
