/** The settings of an answer as clients write them: fields that every way of asking shares. */
import type { GenerationSettings } from '@ragscale/inference/engine-api';
import { z } from 'zod';

export const LIMITS = { queryLength: 8_192, k: 20, temperature: 2, topK: 1_000, stops: 4, stopLength: 64 } as const;

export const DEFAULTS = { k: 2, maxTokens: 64 } as const;

const topPError = 'must be a number over 0 and at most 1';
const stopError = `must be a string of 1 to ${LIMITS.stopLength} characters, or at most ${LIMITS.stops} of them`;
const stopText = z.string().min(1, { error: stopError }).max(LIMITS.stopLength, { error: stopError });

export const k = integer(1, LIMITS.k);
export const maxTokens = integer(1, Number.MAX_SAFE_INTEGER);
export const temperature = number(0, LIMITS.temperature);
export const topP = z.number({ error: topPError }).gt(0, { error: topPError }).max(1, { error: topPError });
export const topK = integer(0, LIMITS.topK);
export const seed = z.int({ error: 'must be an integer' });
export const stop = z.union([stopText, z.array(stopText).max(LIMITS.stops, { error: stopError })], {
  error: stopError,
});
export const flag = z.boolean({ error: 'must be true or false' });

export const DESCRIPTIONS = {
  k: 'How many passages to look for.',
  max_tokens: 'Tokens of the answer at most; together with the prompt they must fit the context.',
  temperature: '0 always takes the likeliest token, so answers repeat.',
  top_p: 'Draw only from the likeliest tokens that together have this probability.',
  top_k: 'Draw only from this many likeliest tokens; 0 is all.',
  seed: 'Makes a drawn answer repeatable.',
  stop: 'The answer ends before the first of these.',
  ignore_eos:
    'Goes on after the end-of-sequence token until `max_tokens`: for benchmarks of exact lengths, as what follows is no answer.',
} as const;

/** The fields by their names in a body. */
export interface SettingsFields {
  readonly max_tokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
  readonly seed?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly ignore_eos?: boolean | undefined;
}

/** The settings in the terms of the engine: greedy, and of `DEFAULTS.maxTokens`, unless asked otherwise. */
export function settingsOf(fields: SettingsFields): GenerationSettings {
  const { stop: stops = [] } = fields;
  return {
    maxTokens: fields.max_tokens ?? DEFAULTS.maxTokens,
    temperature: fields.temperature ?? 0,
    topP: fields.top_p ?? 1,
    topK: fields.top_k ?? 0,
    stop: typeof stops === 'string' ? [stops] : stops,
    ...(fields.seed === undefined ? {} : { seed: fields.seed }),
    ...(fields.ignore_eos === true ? { ignoreEos: true } : {}),
  };
}

export function integer(min: number, max: number): z.ZodInt {
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
