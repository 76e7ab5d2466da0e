/** What /v1/models gives. */
import { z } from 'zod';
import type { ServedModel } from './served-models.ts';

export const modelEntry = z.strictObject({
  id: z.string().meta({ description: 'What requests give as `model`.', examples: ['ragscale'] }),
  object: z.literal('model'),
  created: z.int().meta({ description: 'When this pod started, in seconds since the epoch.' }),
  owned_by: z.string(),
  task: z.enum(['chat', 'embeddings']).meta({ description: 'What it can be asked for.' }),
  root: z.string().meta({ description: 'Name of the model where `id` is another name for it.' }),
  max_model_len: z.int().meta({ description: 'Tokens that it takes at once, an answer included.' }),
});

export type ModelEntry = z.output<typeof modelEntry>;

export const modelList = z.strictObject({ object: z.literal('list'), data: z.array(modelEntry) });

export type ModelList = z.output<typeof modelList>;

/** @param created seconds since the epoch */
export function modelEntryOf({ id, task, root, maxTokens }: ServedModel, created: number): ModelEntry {
  return { id, object: 'model', created, owned_by: 'ragscale', task, root, max_model_len: maxTokens };
}
