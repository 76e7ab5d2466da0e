/** How many tokens a request is likely to cost: for admission, on the main thread, which must not tokenize. */
import type { Question } from './answerer.ts';

/** Of English text; other languages have fewer. An estimate is for the sum over a queue, not for a limit of a model. */
const CHARACTERS_PER_TOKEN = 4;

export interface ModelLimits {
  /** Tokens of a passage at most. */
  readonly passageTokens: number;
  /** Tokens of prompt and answer together: what does not fit is left out or refused. */
  readonly context: number;
}

/** The question and what belongs to it, `k` passages of full length, and an answer of full length. */
export function tokensOfQuestion(question: Question, { passageTokens, context }: ModelLimits): number {
  const { query, k, settings, instructions = '', turns = [] } = question;
  const texts = [query, instructions, ...turns.flatMap((turn) => [turn.question, turn.answer])];
  return Math.min(tokensOfTexts(texts) + k * passageTokens + settings.maxTokens, context);
}

export function tokensOfTexts(texts: readonly string[]): number {
  return texts.reduce((sum, { length }) => sum + Math.ceil(length / CHARACTERS_PER_TOKEN), 0);
}
