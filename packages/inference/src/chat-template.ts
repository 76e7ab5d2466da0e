/** Messages to the text that a chat model was trained on: the Jinja template that its checkpoint carries. */
import { Template } from '@huggingface/jinja';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatFormat {
  /** Jinja, as in `chat_template` of tokenizer_config.json. */
  readonly chatTemplate: string;
  /** Special tokens by the names under which templates know them (`bos_token`, ...). */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Parsing a template of some kilobytes takes longer than filling it, and a model has one. */
let last: { readonly text: string; readonly template: Template } | undefined;

/**
 * What `apply_chat_template(messages, add_generation_prompt=True)` of transformers gives.
 * @throws Error when the template cannot be parsed, or refuses the messages
 */
export function renderChat({ chatTemplate, specialTokens }: ChatFormat, messages: readonly ChatMessage[]): string {
  if (last?.text !== chatTemplate) last = { text: chatTemplate, template: new Template(chatTemplate) };
  return last.template.render({ ...specialTokens, messages, add_generation_prompt: true });
}
