/** How a question and its passages become a prompt that fits beside its answer. */
import { type ChatMessage, renderChat } from './chat-template.ts';
import type { RagPrompt } from './engine-api.ts';
import { ContextLengthError } from './errors.ts';
import type { DecoderManifest } from './manifest.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface FittedPrompt {
  readonly ids: readonly number[];
  /** How many of the passages went in: always the first ones. */
  readonly passagesUsed: number;
}

/** Texts around a question and its passages: `template` of a manifest. */
type Wording = Pick<DecoderManifest['prompt'], 'template' | 'passageSeparator'>;

/** What a prompt needs of a tokenizer. */
export type PromptEncoder = Pick<Tokenizer, 'encode' | 'encodeAround'>;

/**
 * Fills the model's template, leaving passages out from the last until prompt and answer fit.
 * @param room tokens of a slot; @param maxTokens reserved for the answer
 * @throws ContextLengthError when not even the question alone fits
 */
export function fitPrompt(
  format: DecoderManifest['prompt'],
  prompt: RagPrompt,
  encoder: PromptEncoder,
  room: number,
  maxTokens: number,
): FittedPrompt {
  const idsWith = (used: number) => promptIds(format, { ...prompt, passages: prompt.passages.slice(0, used) }, encoder);
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

/** @throws Error when a chat template refuses the conversation */
export function promptIds(format: DecoderManifest['prompt'], prompt: RagPrompt, encoder: PromptEncoder): number[] {
  if (format.kind === 'template') return encoder.encode(fillTemplate(format, prompt));
  const messages = chatMessages(format, prompt);
  return encoder.encodeAround(
    messages.map(({ content }) => content),
    (contents) =>
      renderChat(
        format,
        messages.map(({ role }, i) => ({ role, content: contents[i]! })),
      ),
  );
}

/** The conversation of a prompt: earlier questions stand as they were asked, and only the last has its passages. */
export function chatMessages(
  format: Wording & { readonly system: string },
  { question, passages, instructions, turns = [] }: RagPrompt,
): ChatMessage[] {
  const system = instructions?.trim() || format.system;
  return [
    ...(system === '' ? [] : [{ role: 'system', content: system } as const]),
    ...turns.flatMap((turn): ChatMessage[] => [
      { role: 'user', content: turn.question.trim() },
      { role: 'assistant', content: turn.answer.trim() },
    ]),
    { role: 'user', content: fillOnce(format, question, passages) },
  ];
}

/**
 * The text of a prompt: instructions, then each earlier question in the template with its answer behind it, then the question with its
 * passages. One pass over each template, so that a placeholder inside a question or passage stays text.
 */
export function fillTemplate(format: Wording, prompt: RagPrompt): string {
  const { question, passages, instructions, turns = [] } = prompt;
  const parts = turns.map((turn) => `${fillOnce(format, turn.question, [])} ${oneLine(turn.answer)}`);
  if (instructions !== undefined) parts.unshift(instructions.trim());
  return [...parts, fillOnce(format, question, passages)].join('\n\n');
}

function fillOnce(format: Wording, question: string, passages: readonly string[]): string {
  // A passage is one line of the prompt: its own line breaks would look like the next passage.
  const lines = passages.map((passage) => oneLine(passage)).join(format.passageSeparator);
  return format.template.replace(/\{question\}|\{passages\}/g, (name) =>
    name === '{question}' ? oneLine(question) : lines,
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
