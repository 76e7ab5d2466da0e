/** How an answer looks in OpenAI's chat API: one object, or chunks. */
import { z } from 'zod';
import type { Answer, Source } from '../answerer.ts';
import { renderEvent } from '../event-stream.ts';
import type { AnswerEvents } from '../http-answers.ts';
import { finishReason, usage, usageOf } from '../rag.schema.ts';

/** What every object about one answer begins with. */
export interface Completion {
  /** Of the request. */
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

const citations = z
  .array(z.strictObject({ id: z.string(), score: z.number(), text: z.string() }))
  .meta({ description: 'Extension: the passages that went into the prompt, best first.' });
const head = {
  id: z.string().meta({ examples: ['chatcmpl-6f1c0b1e'] }),
  created: z.int().meta({ description: 'Seconds since the epoch.' }),
  model: z.string(),
};

export const chatResponse = z.strictObject({
  ...head,
  object: z.literal('chat.completion'),
  choices: z.array(
    z.strictObject({
      index: z.literal(0),
      message: z.strictObject({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
      logprobs: z.null(),
      finish_reason: finishReason,
    }),
  ),
  usage,
  citations,
});

export const chatChunk = z.strictObject({
  ...head,
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.strictObject({
      index: z.literal(0),
      delta: z.strictObject({ role: z.literal('assistant').optional(), content: z.string().optional() }),
      logprobs: z.null(),
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: usage.nullish().meta({ description: 'With `stream_options.include_usage`: null but in the last chunk.' }),
  citations: citations.optional().meta({ description: 'In the first chunk.' }),
});

type Chunk = z.output<typeof chatChunk>;

export function completionOf({ id, created, model }: Completion, answer: Answer): z.output<typeof chatResponse> {
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answer.text, refusal: null },
        logprobs: null,
        finish_reason: answer.finishReason,
      },
    ],
    usage: usageOf(answer),
    citations: citationsOf(answer.sources),
  };
}

/** @param includeUsage a chunk with the usage before the end, and `usage: null` in those before */
export function chunksOf({ id, created, model }: Completion, includeUsage: boolean): AnswerEvents {
  const chunk = ({ usage: total = null, ...rest }: Pick<Chunk, 'choices' | 'citations' | 'usage'>): string => {
    const common: Chunk = { id, object: 'chat.completion.chunk', created, model, ...rest };
    return renderEvent(includeUsage ? { ...common, usage: total } : common);
  };
  const choice = (
    delta: Chunk['choices'][number]['delta'],
    finish: Chunk['choices'][number]['finish_reason'],
  ): Chunk['choices'] => [{ index: 0, delta, logprobs: null, finish_reason: finish }];
  return {
    started: (sources) =>
      chunk({ choices: choice({ role: 'assistant', content: '' }, null), citations: citationsOf(sources) }),
    text: (content) => chunk({ choices: choice({ content }, null) }),
    done: (answer) =>
      chunk({ choices: choice({}, answer.finishReason) }) +
      (includeUsage ? chunk({ choices: [], usage: usageOf(answer) }) : '') +
      'data: [DONE]\n\n',
    error: (body) => renderEvent(body),
  };
}

function citationsOf(sources: readonly Source[]): z.output<typeof citations> {
  return sources.map(({ id, score, text }) => ({ id, score, text }));
}
