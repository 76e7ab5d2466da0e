/** How a question and its passages become a prompt that fits beside its answer. */
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
  question: string,
  passages: readonly string[],
  encode: (text: string) => number[],
  room: number,
  maxTokens: number,
): FittedPrompt {
  for (let used = passages.length; ; used--) {
    const ids = encode(fillTemplate(format, question, passages.slice(0, used)));
    if (used === 0) return fitIds(ids, room, maxTokens);
    if (ids.length + maxTokens <= room) return { ids, passagesUsed: used };
  }
}

/** A prompt that is given whole. @throws ContextLengthError */
export function fitIds(ids: readonly number[], room: number, maxTokens: number): FittedPrompt {
  if (ids.length + maxTokens > room) throw new ContextLengthError('prompt', ids.length + maxTokens, room);
  return { ids, passagesUsed: 0 };
}

/** One pass over the template, so that a placeholder inside a question or passage stays text. */
export function fillTemplate(format: DecoderManifest['prompt'], question: string, passages: readonly string[]): string {
  // A passage is one line of the prompt: its own line breaks would look like the next passage.
  const lines = passages.map((passage) => oneLine(passage)).join(format.passageSeparator);
  return format.template.replace(/\{question\}|\{passages\}/g, (name) =>
    name === '{question}' ? oneLine(question) : lines,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
