/** How a question and its passages become a prompt that fits beside its answer. */
import type { RagPrompt } from './engine-api.ts';
import { ContextLengthError } from './errors.ts';
import type { DecoderManifest } from './manifest.ts';

export interface FittedPrompt {
  readonly ids: readonly number[];
  /** How many of the passages went in: always the first ones. */
  readonly passagesUsed: number;
}

/**
 * Fills the model's template, leaving passages out from the last until prompt and answer fit.
 * @param encode text to token ids, those at the ends included
 * @param room tokens of a slot; @param maxTokens reserved for the answer
 * @throws ContextLengthError when not even the question alone fits
 */
export function fitPrompt(
  format: DecoderManifest['prompt'],
  prompt: RagPrompt,
  encode: (text: string) => number[],
  room: number,
  maxTokens: number,
): FittedPrompt {
  const idsWith = (used: number) =>
    encode(fillTemplate(format, { ...prompt, passages: prompt.passages.slice(0, used) }));
  const whole = idsWith(prompt.passages.length);
  if (whole.length + maxTokens <= room) return { ids: whole, passagesUsed: prompt.passages.length };
  // More passages are never fewer tokens: halving finds the most that fit. The engine waits for this, so few tries matter.
  let best = fitIds(idsWith(0), room, maxTokens);
  for (let low = 1, high = prompt.passages.length - 1; low <= high; ) {
    const used = (low + high) >> 1;
    const ids = idsWith(used);
    if (ids.length + maxTokens <= room) {
      best = { ids, passagesUsed: used };
      low = used + 1;
    } else high = used - 1;
  }
  return best;
}

/** A prompt that is given whole. @throws ContextLengthError */
export function fitIds(ids: readonly number[], room: number, maxTokens: number): FittedPrompt {
  if (ids.length + maxTokens > room) throw new ContextLengthError('prompt', ids.length + maxTokens, room);
  return { ids, passagesUsed: 0 };
}

/**
 * The text of a prompt: instructions, then each earlier question in the template with its answer behind it, then the question with its
 * passages. One pass over each template, so that a placeholder inside a question or passage stays text.
 */
export function fillTemplate(format: DecoderManifest['prompt'], prompt: RagPrompt): string {
  const { question, passages, instructions, turns = [] } = prompt;
  const parts = turns.map((turn) => `${fillOnce(format, turn.question, [])} ${oneLine(turn.answer)}`);
  if (instructions !== undefined) parts.unshift(instructions.trim());
  return [...parts, fillOnce(format, question, passages)].join('\n\n');
}

function fillOnce(format: DecoderManifest['prompt'], question: string, passages: readonly string[]): string {
  // A passage is one line of the prompt: its own line breaks would look like the next passage.
  const lines = passages.map((passage) => oneLine(passage)).join(format.passageSeparator);
  return format.template.replace(/\{question\}|\{passages\}/g, (name) =>
    name === '{question}' ? oneLine(question) : lines,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
