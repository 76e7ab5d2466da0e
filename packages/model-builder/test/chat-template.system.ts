/** Is a conversation put into a model's words, and into its tokens, as `apply_chat_template` of transformers does it? */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type ChatMessage, renderChat } from '@ragscale/inference/chat-template';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { beforeAll, expect, it, vi } from 'vitest';
import { FIXTURES } from './golden.ts';
import { HARD_TEXTS } from './hard-texts.ts';
import { hasReference, REFERENCE } from './python.ts';
import { runReference } from './reference.ts';
import { scratchFolder } from './scratch-folder.ts';

vi.setConfig({ hookTimeout: 300_000, testTimeout: 300_000 });

const user = (content: string): ChatMessage => ({ role: 'user', content });
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });
const CONVERSATIONS: readonly (readonly ChatMessage[])[] = [
  [user('What color is the sky?')],
  [system('Answer from the context alone.'), user('What color is the sky?')],
  [user('one'), assistant('two'), user('three')],
  [system(''), user('')],
  [system('a'), user('b'), assistant(''), user('d'), assistant('e'), user('f')],
  [
    user('{{ messages }} {% raw %} {# not a comment #}'),
    assistant('it\'s "quoted" \\n and \\\\'),
    user('<b>&amp;</b>'),
  ],
  ...HARD_TEXTS.filter((text) => text.length < 10_000).map((text) => [system('Be brief.'), user(text)]),
];

/** A template that trims does it as JavaScript does: U+FEFF at an end is white space, U+0085 and U+001C to U+001F are none. */
const TRIMMED_OTHERWISE = new Set(['\ufeff', '\u0085', '\u001c', '\u001d', '\u001e', '\u001f']);
const isTrimmedOtherwise = ({ content }: ChatMessage) =>
  TRIMMED_OTHERWISE.has(content.at(0) ?? '') || TRIMMED_OTHERWISE.has(content.at(-1) ?? '');

const folder = scratchFolder();
const tokenizerFolder = path.join(FIXTURES, 'qwen2-tied-f32');
let reference: Record<string, { template: string; texts: string[]; ids: number[][] }>;
beforeAll(() => {
  if (!hasReference) return;
  const file = path.join(folder, 'conversations.json');
  writeFileSync(file, JSON.stringify(CONVERSATIONS));
  reference = JSON.parse(runReference('apply_chat_templates.py', tokenizerFolder, file)) as typeof reference;
});

it.skipIf(!hasReference).each(['qwen', 'llama'])(`%s: the same text (needs ${REFERENCE})`, (name) => {
  const { template, texts } = reference[name]!;
  const format = { chatTemplate: template, specialTokens: { bos_token: '<|begin|>', eos_token: '<|im_end|>' } };
  expect(texts).toHaveLength(CONVERSATIONS.length);
  for (const [i, conversation] of CONVERSATIONS.entries()) {
    if (name === 'llama' && conversation.some(isTrimmedOtherwise)) continue;
    expect(renderChat(format, conversation)).toBe(texts[i]);
  }
});

it.skipIf(!hasReference)(`qwen: the same ids (needs ${REFERENCE})`, async () => {
  const { template, ids } = reference.qwen!;
  const tokenizer = await Tokenizer.load(tokenizerFolder);
  for (const [i, conversation] of CONVERSATIONS.entries()) {
    const contents = conversation.map(({ content }) => content);
    const join = (parts: readonly string[]) =>
      renderChat(
        { chatTemplate: template, specialTokens: {} },
        conversation.map(({ role }, m) => ({ role, content: parts[m]! })),
      );
    expect(tokenizer.encodeAround(contents, join), JSON.stringify(contents).slice(0, 80)).toEqual(ids[i]);
  }
});
