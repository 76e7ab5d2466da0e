/** What /rag takes and gives: one source for validation, types and the OpenAPI page. */
import { z } from 'zod';
import type { Question } from './answerer.ts';

export const LIMITS = { queryLength: 8_192, k: 20, temperature: 2, topK: 1_000, stops: 4, stopLength: 64 } as const;

export const DEFAULTS = { k: 2, maxTokens: 64 } as const;

const stopError = `must be a string of 1 to ${LIMITS.stopLength} characters, or at most ${LIMITS.stops} of them`;
const stopText = z.string().min(1, { error: stopError }).max(LIMITS.stopLength, { error: stopError });

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
    k: integer(1, LIMITS.k).default(DEFAULTS.k).meta({ description: 'How many passages to look for.' }),
    max_tokens: integer(1, Number.MAX_SAFE_INTEGER).default(DEFAULTS.maxTokens).meta({
      description: 'Tokens of the answer at most; together with the prompt they must fit the context.',
    }),
    temperature: number(0, LIMITS.temperature)
      .default(0)
      .meta({ description: '0 always takes the likeliest token, so answers repeat.' }),
    top_p: z
      .number({ error: 'must be a number over 0 and at most 1' })
      .gt(0, { error: 'must be a number over 0 and at most 1' })
      .max(1, { error: 'must be a number over 0 and at most 1' })
      .default(1)
      .meta({ description: 'Draw only from the likeliest tokens that together have this probability.' }),
    top_k: integer(0, LIMITS.topK)
      .default(0)
      .meta({ description: 'Draw only from this many likeliest tokens; 0 is all.' }),
    seed: z.int({ error: 'must be an integer' }).optional().meta({ description: 'Makes a drawn answer repeatable.' }),
    stop: z
      .union([stopText, z.array(stopText).max(LIMITS.stops, { error: stopError })], { error: stopError })
      .default([])
      .meta({ description: 'The answer ends before the first of these.' }),
    stream: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .meta({ description: 'Not supported by this variant: only false is taken.' }),
  },
  {
    error: ({ code }) => (code === 'unrecognized_keys' ? undefined : 'must be a JSON object such as {"query": "..."}'),
  },
);

export type RagRequest = z.output<typeof ragRequest>;

export const ragResponse = z.strictObject({
  query: z.string().meta({ description: 'The question as it was asked.' }),
  result: z.string().meta({ description: 'The answer alone.' }),
  sources: z
    .array(
      z.strictObject({
        id: z.string().meta({ description: 'Document and number of the passage in it.', examples: ['hummingbirds#1'] }),
        score: z.number().meta({ description: 'Cosine of question and passage.' }),
        text: z.string(),
      }),
    )
    .meta({ description: 'The passages that went into the prompt, best first.' }),
});

export type RagResponse = z.output<typeof ragResponse>;

/** The question in the terms of the pod. */
export function questionOf(body: RagRequest): Question {
  return {
    query: body.query,
    k: body.k,
    settings: {
      maxTokens: body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: typeof body.stop === 'string' ? [body.stop] : body.stop,
      ...(body.seed === undefined ? {} : { seed: body.seed }),
    },
  };
}

function integer(min: number, max: number): z.ZodInt {
  const error =
    max === Number.MAX_SAFE_INTEGER
      ? `must be an integer of at least ${min}`
      : `must be an integer from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

function number(min: number, max: number): z.ZodNumber {
  const error = `must be a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}
