/** What does a JSON file of a checkpoint say, when it says what it should? */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { BuildError } from './errors.ts';

/** @throws BuildError in one line, naming the file and the field */
export function readJson<T>(file: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `is not JSON: ${cause.message}` : 'cannot be read';
    throw new BuildError(`${file} ${why}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new BuildError(`${file}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
}
