/** What OpenAI's chat API can do and this server cannot: fields whose value would change the answer, refused by name. */
import { z } from 'zod';
import { refuseUnsupported } from '../validation.ts';

interface Refusal {
  readonly field: string;
  readonly what: string;
  /** Values that ask for nothing special; null and absence never do. */
  readonly harmless: (value: unknown) => boolean;
}

const never = () => false;
const isEmpty = (value: unknown) => typeof value === 'object' && Object.keys(value ?? {}).length === 0;
const isZero = (value: unknown) => value === 0;
const isNoChoice = (value: unknown) => value === 'none' || value === 'auto';

const REFUSALS: readonly Refusal[] = [
  { field: 'n', what: 'n other than 1', harmless: (value) => value === 1 },
  { field: 'tools', what: 'tools', harmless: isEmpty },
  { field: 'functions', what: 'functions', harmless: isEmpty },
  { field: 'tool_choice', what: 'tool_choice', harmless: isNoChoice },
  { field: 'function_call', what: 'function_call', harmless: isNoChoice },
  {
    field: 'response_format',
    what: 'response_format other than {"type": "text"}',
    harmless: (value) => typeof value === 'object' && (value as { type?: unknown }).type === 'text',
  },
  { field: 'logprobs', what: 'logprobs', harmless: (value) => value === false },
  { field: 'top_logprobs', what: 'top_logprobs', harmless: isZero },
  { field: 'logit_bias', what: 'logit_bias', harmless: isEmpty },
  { field: 'presence_penalty', what: 'presence_penalty', harmless: isZero },
  { field: 'frequency_penalty', what: 'frequency_penalty', harmless: isZero },
  {
    field: 'modalities',
    what: 'modalities other than ["text"]',
    harmless: (value) => Array.isArray(value) && value.every((modality) => modality === 'text'),
  },
  { field: 'audio', what: 'audio', harmless: never },
];

/** Names of the fields, for the documentation. */
export const REFUSED_FIELDS: readonly string[] = REFUSALS.map(({ field }) => field);

/** Any body that asks for none of it. */
export const withoutUnsupported = z.unknown().superRefine((body, context) => {
  if (typeof body !== 'object' || body === null) return;
  for (const { field, what, harmless } of REFUSALS) {
    const value: unknown = Reflect.get(body, field);
    if (value !== undefined && value !== null && !harmless(value)) refuseUnsupported(context, value, what, [field]);
  }
});
