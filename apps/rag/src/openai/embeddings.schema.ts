/** What /v1/embeddings takes and gives. */
import { z } from 'zod';
import { integer } from '../generation.schema.ts';
import { refuseUnsupported } from '../validation.ts';
import { modelName, optional } from './optional.ts';

export const EMBEDDINGS_LIMITS = { inputs: 256, inputLength: 8_192 } as const;

const textError = `must be a string of 1 to ${EMBEDDINGS_LIMITS.inputLength} characters`;
const inputError = `${textError}, or an array of 1 to ${EMBEDDINGS_LIMITS.inputs} of them`;
const text = z
  .string({ error: textError })
  .min(1, { error: textError })
  .max(EMBEDDINGS_LIMITS.inputLength, { error: textError })
  .refine((given) => given.isWellFormed(), {
    error: 'must be well-formed Unicode: it holds half of a surrogate pair',
  });
const texts = z
  .array(text, { error: inputError })
  .min(1, { error: inputError })
  .max(EMBEDDINGS_LIMITS.inputs, { error: inputError });

/** The fields that are read; every other is ignored. */
export const embeddingsFields = z.object(
  {
    model: modelName.meta({
      description: 'The name of the embedder, or `ragscale-embedder`.',
      examples: ['ragscale-embedder'],
    }),
    input: z
      .union([text, texts], { error: ({ input }) => (input === undefined ? 'is required' : inputError) })
      .meta({ description: 'One text or several; tokens are not taken.', examples: ['Hummingbirds can hover.'] }),
    encoding_format: optional(
      z.enum(['float', 'base64'], { error: 'must be float or base64' }),
      '`float`, unless given, or `base64`: 32-bit floats in little-endian order.',
    ),
    dimensions: optional(integer(1, Number.MAX_SAFE_INTEGER), 'Only the number that the model has.'),
    input_type: optional(
      z.enum(['query', 'passage'], { error: 'must be query or passage' }),
      'Extension: some models dress questions and passages differently. `passage` unless given.',
    ),
  },
  { error: 'must be a JSON object such as {"model": "ragscale-embedder", "input": "..."}' },
);

export const embeddingsRequest = z
  .unknown()
  .superRefine((body, context) => {
    const input: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'input') : undefined;
    const first: unknown = Array.isArray(input) ? input[0] : undefined;
    if (typeof first === 'number' || Array.isArray(first))
      refuseUnsupported(context, input, 'input as tokens', ['input']);
  })
  .pipe(embeddingsFields);

export type EmbeddingsRequest = z.output<typeof embeddingsRequest>;

export const embeddingsResponse = z.strictObject({
  object: z.literal('list'),
  data: z.array(
    z.strictObject({
      object: z.literal('embedding'),
      index: z.int().nonnegative(),
      embedding: z
        .union([z.array(z.number()), z.string()])
        .meta({ description: 'Of length 1; floats, or base64 where asked for.' }),
    }),
  ),
  model: z.string(),
  usage: z.strictObject({ prompt_tokens: z.int().nonnegative(), total_tokens: z.int().nonnegative() }),
});

export type EmbeddingsResponse = z.output<typeof embeddingsResponse>;
