/** How does a decoder end a text, pad a batch, and want a question put? From what its checkpoint says beside the weights. */
import { type ChatFormat, renderChat } from '@ragscale/inference/chat-template';
import type { DecoderManifest } from '@ragscale/inference/manifest';
import { z } from 'zod';
import type { Checkpoint, PromptOverrides } from '../checkpoint.ts';
import { BuildError } from '../errors.ts';

const tokenId = z.int().nonnegative();
const tokenIds = z.union([tokenId, z.array(tokenId).min(1)]);
/** The fields of `config.json`. */
export const tokenFields = { eos_token_id: tokenIds.nullish(), pad_token_id: tokenId.nullish() };
const tokensSchema = z.object(tokenFields);

const NAMED = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const;
const token = z.union([z.string(), z.object({ content: z.string() })]).nullish();
const tokenizerConfigSchema = z.object({
  chat_template: z
    .union([z.string().min(1), z.array(z.object({ name: z.string(), template: z.string().min(1) }))])
    .nullish(),
  ...Object.fromEntries(NAMED.map((name) => [name, token])),
});

const TEMPLATE = 'Question: {question}\nContext:\n{passages}\nAnswer:';
const CHAT_SYSTEM =
  'Answer the question from the context alone, briefly. If the answer is not in it, say that you do not know.';
const CHAT_TEMPLATE = 'Context:\n{passages}\n\nQuestion: {question}';

/**
 * What ends an answer: of instruction models `generation_config.json` names more tokens than `config.json`.
 * @throws BuildError when neither does
 */
export function decoderTokens(checkpoint: Checkpoint, config: z.infer<typeof tokensSchema>): DecoderManifest['tokens'] {
  const generation = checkpoint.readOptional('generation_config.json', tokensSchema);
  const eos = [...new Set([generation?.eos_token_id ?? [], config.eos_token_id ?? []].flat())];
  const [first] = eos;
  if (first === undefined) throw new BuildError(`${checkpoint.path('config.json')}: eos_token_id is missing`);
  // Nothing is computed from padding: any token does.
  return { eos, pad: config.pad_token_id ?? generation?.pad_token_id ?? first };
}

/** The chat template of the checkpoint where it has one; otherwise plain text. @throws BuildError naming the file of a template that does not work */
export function decoderPrompt(checkpoint: Checkpoint, prompt: PromptOverrides): DecoderManifest['prompt'] {
  const passageSeparator = prompt.passageSeparator ?? '\n';
  const chat = chatFormat(checkpoint);
  if (chat === undefined) return { kind: 'template', template: prompt.template ?? TEMPLATE, passageSeparator };
  return {
    kind: 'chat',
    ...chat,
    system: prompt.system ?? CHAT_SYSTEM,
    template: prompt.template ?? CHAT_TEMPLATE,
    passageSeparator,
  };
}

function chatFormat(checkpoint: Checkpoint): ChatFormat | undefined {
  const config = checkpoint.readOptional('tokenizer_config.json', tokenizerConfigSchema);
  const inFile = checkpoint.readText('chat_template.jinja');
  const inConfig = config?.chat_template;
  const chatTemplate =
    inFile ?? (typeof inConfig === 'string' ? inConfig : inConfig?.find(({ name }) => name === 'default')?.template);
  if (chatTemplate === undefined) return undefined;
  const tokens = config as Partial<Record<string, z.infer<typeof token>>> | undefined;
  const specialTokens = Object.fromEntries(
    NAMED.flatMap((name) => {
      const value = tokens?.[name];
      return value ? [[name, typeof value === 'string' ? value : value.content]] : [];
    }),
  );
  const format = { chatTemplate, specialTokens };
  try {
    renderChat(format, [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ]);
  } catch (cause) {
    const file = checkpoint.path(inFile === undefined ? 'tokenizer_config.json' : 'chat_template.jinja');
    throw new BuildError(`${file}: the chat template cannot be used: ${(cause as Error).message}`, { cause });
  }
  return format;
}
