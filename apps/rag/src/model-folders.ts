/** Which folder a model's name stands for. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Variable } from '@ragscale/service/environment';
import { z } from 'zod';

/** The repository's own models, seen from `src` as from `dist`. */
const EMBEDDED = fileURLToPath(new URL('../../../models/embedded/', import.meta.url));

/** A variable that names a model: `embedded` or a folder; its value is the folder's path. */
export function modelFolder(role: 'embedder' | 'generator'): Pick<Variable<string>, 'schema' | 'allowed'> {
  return {
    schema: z
      .string()
      .transform((name) => (name === 'embedded' ? path.join(EMBEDDED, role) : path.resolve(name)))
      .refine((folder) => existsSync(path.join(folder, 'manifest.json'))),
    allowed: '`embedded` (ships with the repository), or a model folder (docs/model-folder.md)',
  };
}
