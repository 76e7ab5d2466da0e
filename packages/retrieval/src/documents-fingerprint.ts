/** Whether documents have changed, without reading them: one word for names, places, sizes and times of their files. */
import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { findDocumentFiles } from './documents.ts';

/**
 * Another word when a file came, went, was written or was put in place of another. Kubernetes replaces the files of a ConfigMap by
 * turning a link: then it is the real path that is another one. A folder that cannot be read has a word as well, so that this is a change, too.
 */
export async function fingerprintDocuments(source: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for (const { file, name } of await findDocumentFiles(source)) {
      const { size, mtimeNs, ino } = await stat(file, { bigint: true });
      hash.update(JSON.stringify([name, await realpath(file), String(ino), String(size), String(mtimeNs)]));
    }
  } catch (error) {
    hash.update((error as Error).message);
  }
  return hash.digest('base64url');
}
