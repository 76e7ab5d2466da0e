/** What is asked of a server that speaks OpenAI's API, and how is a chunk of its stream read? Two endpoints, one interface. */
import type { GenerationSettings, RagPrompt } from '@ragscale/inference/engine-api';
import { fillTemplate } from '@ragscale/inference/prompt';
import { z } from 'zod';

export interface CompletionApi {
  /** Behind the base address. */
  readonly path: string;
  /** What of the body is the prompt. */
  promptOf(prompt: RagPrompt): Readonly<Record<string, unknown>>;
}

/** With the model's own template, which the server has. */
const chat: CompletionApi = {
  path: '/chat/completions',
  promptOf: ({ question, passages, instructions, turns = [] }) => ({
    messages: [
      { role: 'system', content: [instructions?.trim(), ANSWER_FROM_CONTEXT].filter(Boolean).join('\n\n') },
      ...turns.flatMap((turn) => [
        { role: 'user', content: turn.question },
        { role: 'assistant', content: turn.answer },
      ]),
      { role: 'user', content: withPassages(question, passages) },
    ],
  }),
};

/** For models that know no conversation: the prompt is one text, as those of the pod's own models are. */
const completions: CompletionApi = {
  path: '/completions',
  promptOf: (prompt) => ({ prompt: fillTemplate(TEMPLATE, prompt) }),
};

export const COMPLETION_APIS = { chat, completions } as const;

const ANSWER_FROM_CONTEXT = 'Answer the question in a few words, from the context alone.';
const TEMPLATE = {
  kind: 'template',
  template: 'Question: {question}\nContext:\n{passages}\nAnswer:',
  passageSeparator: '\n',
} as const;

function withPassages(question: string, passages: readonly string[]): string {
  const lines = passages.map((passage) => `- ${passage.replace(/\s+/g, ' ').trim()}`);
  return lines.length === 0 ? question : `Context:\n${lines.join('\n')}\n\nQuestion: ${question}`;
}

/** The settings by the names that all servers know; `top_k` and `ignore_eos`, which not all do, only where they are asked for. */
export function settingsFields(settings: GenerationSettings): Readonly<Record<string, unknown>> {
  const { maxTokens, temperature, topP, topK, seed, stop, ignoreEos } = settings;
  return {
    max_tokens: maxTokens,
    temperature,
    ...(topP < 1 && { top_p: topP }),
    ...(topK > 0 && { top_k: topK }),
    ...(seed !== undefined && { seed }),
    ...(stop.length > 0 && { stop }),
    ...(ignoreEos === true && { ignore_eos: true }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

const count = z.int().nonnegative();
const usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
});
const choice = z.object({
  /** Of the chat. */
  delta: z
    .object({ content: z.string().nullish(), reasoning_content: z.string().nullish(), reasoning: z.string().nullish() })
    .nullish(),
  /** Of completions. */
  text: z.string().nullish(),
  finish_reason: z.string().nullish(),
});
const chunkSchema = z.object({
  choices: z.array(choice).nullish(),
  usage: usage.nullish(),
  error: z.unknown().optional(),
});

export interface Usage {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly cachedTokens: number;
}

export interface Chunk {
  readonly text: string;
  /** It works, though there is no text: the reasoning that some models write before they answer. */
  readonly isReasoning: boolean;
  readonly finishReason?: 'stop' | 'length';
  readonly usage?: Usage;
  /** The server gives up, and why. */
  readonly error?: string;
}

/** @throws SyntaxError, ZodError */
export function readChunk(data: string): Chunk {
  const { choices, usage: used, error } = chunkSchema.parse(JSON.parse(data));
  const [first] = choices ?? [];
  const { content, reasoning_content: reasoningContent, reasoning } = first?.delta ?? {};
  return {
    text: content ?? first?.text ?? '',
    isReasoning: Boolean(reasoningContent ?? reasoning),
    ...(first?.finish_reason && { finishReason: first.finish_reason === 'length' ? 'length' : 'stop' }),
    ...(used && { usage: usageOf(used) }),
    ...(error !== undefined && error !== null && { error: JSON.stringify(error).slice(0, 500) }),
  };
}

function usageOf({ prompt_tokens, completion_tokens, prompt_tokens_details }: z.output<typeof usage>): Usage {
  return {
    promptTokens: prompt_tokens,
    generatedTokens: completion_tokens,
    cachedTokens: prompt_tokens_details?.cached_tokens ?? 0,
  };
}
