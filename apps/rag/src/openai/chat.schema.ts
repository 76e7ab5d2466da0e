/** What /v1/chat/completions takes and gives: OpenAI's chat completions, with passages found for the last question. */
import { z } from 'zod';
import type { Question } from '../answerer.ts';
import {
  DEFAULTS,
  DESCRIPTIONS,
  flag,
  k,
  maxTokens,
  seed,
  settingsOf,
  stop,
  temperature,
  topK,
  topP,
} from '../generation.schema.ts';
import { refuseUnsupported } from '../validation.ts';
import { withoutUnsupported } from './chat-unsupported.ts';
import { conversationOf, type Role } from './conversation.ts';
import { modelName, optional } from './optional.ts';

export const CHAT_LIMITS = { messages: 256, contentLength: 32_768 } as const;

const ROLES = ['system', 'developer', 'user', 'assistant'] as const satisfies readonly Role[];
const OTHER_ROLES: readonly string[] = ['tool', 'function'];
const messagesError = `must be an array of 1 to ${CHAT_LIMITS.messages} messages`;
const contentError = 'must be a string or an array of parts such as {"type": "text", "text": "..."}';

const role = z
  .string({ error: `must be one of ${ROLES.join(', ')}` })
  .superRefine((name, context) => {
    if (OTHER_ROLES.includes(name)) refuseUnsupported(context, name, `a message with the role ${name}`);
  })
  .refine((name): name is Role => ROLES.some((known) => known === name) || OTHER_ROLES.includes(name), {
    error: `must be one of ${ROLES.join(', ')}`,
  })
  .meta({ enum: [...ROLES] });

const part = z
  .object({ type: z.string(), text: z.string().optional() })
  .superRefine(({ type, text }, context) => {
    if (type !== 'text') refuseUnsupported(context, type, `a content part of the type ${type}`, ['type']);
    else if (text === undefined) context.addIssue({ code: 'custom', message: 'is required', path: ['text'] });
  })
  .meta({ description: 'Only `type: text` is supported.' });

const content = z
  .union([z.string(), z.array(part)], { error: contentError })
  .transform((given) => (typeof given === 'string' ? given : given.map(({ text }) => text).join('\n')))
  .refine((text) => text.isWellFormed(), { error: 'must be well-formed Unicode: it holds half of a surrogate pair' });

const message = z.object(
  {
    role,
    content,
    tool_calls: optional(z.unknown(), 'Not supported: only an empty array.').superRefine((calls, context) => {
      if (Array.isArray(calls) ? calls.length > 0 : calls !== undefined)
        refuseUnsupported(context, calls, 'a message with tool_calls');
    }),
  },
  { error: 'must be an object such as {"role": "user", "content": "..."}' },
);

/** The fields that are read; every other is ignored, or refused before. */
export const chatFields = z.object(
  {
    model: modelName.meta({ description: 'The name of the generator, or `ragscale`.', examples: ['ragscale'] }),
    messages: z
      .array(message, { error: ({ input }) => (input === undefined ? 'is required' : messagesError) })
      .min(1, { error: messagesError })
      .max(CHAT_LIMITS.messages, { error: messagesError })
      .refine((all) => all.reduce((sum, one) => sum + one.content.length, 0) <= CHAT_LIMITS.contentLength, {
        error: `must have at most ${CHAT_LIMITS.contentLength} characters of content together`,
      })
      .meta({
        description:
          'The last is from the user: passages are looked for with it. `system` and `developer` are instructions; the others are what was asked and answered before.',
        examples: [[{ role: 'user', content: 'Which animals can hover in the air?' }]],
      }),
    max_tokens: optional(maxTokens, `${DESCRIPTIONS.max_tokens} ${DEFAULTS.maxTokens} unless given.`),
    max_completion_tokens: optional(maxTokens, 'The newer name of `max_tokens`; it goes first where both are given.'),
    temperature: optional(temperature, `${DESCRIPTIONS.temperature} 0 unless given.`),
    top_p: optional(topP, DESCRIPTIONS.top_p),
    seed: optional(seed, DESCRIPTIONS.seed),
    stop: optional(stop, DESCRIPTIONS.stop),
    stream: optional(flag, 'The answer as server-sent events.'),
    stream_options: optional(
      z.object({ include_usage: optional(flag, 'A last chunk with `usage`.') }, { error: 'must be an object' }),
      'What a stream has besides.',
    ),
    k: optional(k, `Extension: ${DESCRIPTIONS.k} ${DEFAULTS.k} unless given.`),
    top_k: optional(topK, `Extension: ${DESCRIPTIONS.top_k}`),
    ignore_eos: optional(flag, `Extension: ${DESCRIPTIONS.ignore_eos}`),
  },
  { error: 'must be a JSON object such as {"model": "ragscale", "messages": [{"role": "user", "content": "..."}]}' },
);

export const chatRequest = withoutUnsupported.pipe(chatFields);

export type ChatRequest = z.output<typeof chatRequest>;

/** The question in the terms of the pod. @throws ServiceError invalid_request where the messages are out of order */
export function questionOf(body: ChatRequest): Question {
  const messages = body.messages.map((one) => ({ role: one.role, content: one.content }));
  return {
    ...conversationOf(messages),
    k: body.k ?? DEFAULTS.k,
    settings: settingsOf({ ...body, max_tokens: body.max_completion_tokens ?? body.max_tokens }),
  };
}
