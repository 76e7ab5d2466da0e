/** What /rag takes and gives, whole and as events: one source for validation, types and the OpenAPI page. */
import { z } from 'zod';
import type { Answer, Question, Source } from './answerer.ts';
import {
  DEFAULTS,
  DESCRIPTIONS,
  flag,
  k,
  LIMITS,
  maxTokens,
  seed,
  settingsOf,
  stop,
  temperature,
  topK,
  topP,
} from './generation.schema.ts';
import { roundedMs, roundedStages } from './rounded-times.ts';

export const ragRequest = z.strictObject(
  {
    query: z
      .string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be a string') })
      .max(LIMITS.queryLength, { error: `must have at most ${LIMITS.queryLength} characters` })
      .refine((text) => text.trim() !== '', { error: 'must not be empty' })
      .refine((text) => text.isWellFormed(), {
        error: 'must be well-formed Unicode: it holds half of a surrogate pair',
      })
      .meta({ description: 'The question.', minLength: 1, examples: ['Which animals can hover in the air?'] }),
    k: k.default(DEFAULTS.k).meta({ description: DESCRIPTIONS.k }),
    max_tokens: maxTokens.default(DEFAULTS.maxTokens).meta({ description: DESCRIPTIONS.max_tokens }),
    temperature: temperature.default(0).meta({ description: DESCRIPTIONS.temperature }),
    top_p: topP.default(1).meta({ description: DESCRIPTIONS.top_p }),
    top_k: topK.default(0).meta({ description: DESCRIPTIONS.top_k }),
    seed: seed.optional().meta({ description: DESCRIPTIONS.seed }),
    stop: stop.default([]).meta({ description: DESCRIPTIONS.stop }),
    ignore_eos: flag.default(false).meta({ description: DESCRIPTIONS.ignore_eos }),
    stream: flag.optional().meta({
      description:
        'The answer as server-sent events: `sources`, then `token` events, then `done`. Absent, the header `Accept: text/event-stream` asks for the same.',
    }),
  },
  {
    error: ({ code }) => (code === 'unrecognized_keys' ? undefined : 'must be a JSON object such as {"query": "..."}'),
  },
);

export type RagRequest = z.output<typeof ragRequest>;

const query = z.string().meta({ description: 'The question as it was asked.' });
const source = z.strictObject({
  id: z.string().meta({ description: 'Document and number of the passage in it.', examples: ['hummingbirds#1'] }),
  score: z.number().meta({ description: 'Cosine of question and passage.' }),
  text: z.string(),
});
const sources = z.array(source).meta({ description: 'The passages that went into the prompt, best first.' });

export const ragResponse = z.strictObject({
  query,
  result: z.string().meta({ description: 'The answer alone.' }),
  sources,
});

export type RagResponse = z.output<typeof ragResponse>;

const tokens = z.int().nonnegative();

export const usage = z.strictObject({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  total_tokens: tokens,
  prompt_tokens_details: z.strictObject({
    cached_tokens: tokens.meta({
      description: 'Tokens of the prompt that were shared with another and not computed.',
    }),
  }),
});

export const finishReason = z.enum(['stop', 'length']).meta({ description: '`length`: `max_tokens` ended it.' });

const milliseconds = z.number().meta({ description: 'Milliseconds.' });

/** The data of each event, by its name, in the order of the stream. */
export const RAG_EVENTS = {
  sources: z.strictObject({ query, sources }),
  token: z.strictObject({
    text: z.string().meta({ description: 'Never empty; all of them together are the answer.' }),
  }),
  done: z.strictObject({
    finish_reason: finishReason,
    usage,
    timings: z.strictObject({
      queue: milliseconds,
      embed: milliseconds,
      retrieve: milliseconds,
      prefill: milliseconds,
      decode: milliseconds,
      total: milliseconds,
    }),
  }),
} as const;

/** The question in the terms of the pod. */
export function questionOf(body: RagRequest): Question {
  return { query: body.query, k: body.k, settings: settingsOf(body) };
}

export function responseOf(body: RagRequest, answer: Answer): RagResponse {
  return { query: body.query, result: answer.text, sources: [...answer.sources] };
}

/** Data of `sources`. */
export function startedOf(body: RagRequest, found: readonly Source[]): z.output<typeof RAG_EVENTS.sources> {
  return { query: body.query, sources: [...found] };
}

/** Data of `done`. @param totalMs from the request's arrival */
export function doneOf(answer: Answer, totalMs: number): z.output<typeof RAG_EVENTS.done> {
  return {
    finish_reason: answer.finishReason,
    usage: usageOf(answer),
    timings: { ...roundedStages(answer.stages), total: roundedMs(totalMs) },
  };
}

export function usageOf({ promptTokens, generatedTokens, cachedTokens }: Answer): z.output<typeof usage> {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: generatedTokens,
    total_tokens: promptTokens + generatedTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
