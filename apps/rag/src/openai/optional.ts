/** How optional fields are read in OpenAI's API: clients send null where they mean nothing. */
import { z } from 'zod';

/** A field that may be absent or null, which both become undefined. */
export function optional<Field extends z.ZodType>(field: Field, description: string) {
  return field
    .nullish()
    .transform((value) => value ?? undefined)
    .meta({ description });
}

export const modelName = z.string({
  error: ({ input }) => (input === undefined ? 'is required' : 'must be a string'),
});
