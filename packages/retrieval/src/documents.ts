/** Where documents come from: a file or a folder of .txt, .md and .jsonl. */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DocumentsError, readLines, readText } from './document-files.ts';

export interface SourceDocument {
  /** Unique: the path below the folder, or what the line of a .jsonl file says. */
  readonly id: string;
  readonly format: 'plain' | 'markdown';
  readonly text: string;
}

/** Of everything that is loaded, in bytes: passages and vectors live in memory. */
export const MAX_TOTAL_BYTES = 256 * 1024 * 1024;

const EXTENSIONS = ['.txt', '.md', '.jsonl'] as const;

const jsonLine = z.object({
  id: z.string().min(1).max(256).or(z.int()).optional(),
  title: z.string().optional(),
  text: z.string(),
});

/**
 * Every document of a file or folder, in the order of their names, one at a time.
 * A folder is read with its subfolders; links that lead out of it, hidden files and other extensions are passed over.
 * @throws DocumentsError naming the file at fault and what to change
 */
export async function* loadDocuments(source: string): AsyncGenerator<SourceDocument, void> {
  const seen = new Map<string, string>();
  let totalBytes = 0;
  for (const { file, name } of await findDocumentFiles(source)) {
    totalBytes += (await stat(file)).size;
    if (totalBytes > MAX_TOTAL_BYTES) {
      throw new DocumentsError(
        `${source} holds more than ${MAX_TOTAL_BYTES} bytes of documents: give fewer or smaller ones`,
      );
    }
    for await (const document of documentsOf(file, name)) {
      if (document.text.trim() === '') continue;
      const earlier = seen.get(document.id);
      if (earlier !== undefined)
        throw new DocumentsError(`the id ${document.id} stands in ${earlier} and again in ${name}: make ids unique`);
      seen.set(document.id, name);
      yield document;
    }
  }
  if (seen.size === 0) {
    throw new DocumentsError(
      `${source} holds no text: put ${EXTENSIONS.join(', ')} files there, or unset DOCUMENTS for the built-in ones`,
    );
  }
}

export interface DocumentFile {
  readonly file: string;
  /** Below the folder that was given, with slashes; of a file that was given its own. */
  readonly name: string;
}

/**
 * Those that `loadDocuments` reads, in their order.
 * @throws DocumentsError when `source` cannot be read
 */
export async function findDocumentFiles(source: string): Promise<DocumentFile[]> {
  const root = await realpath(source).catch((cause) => {
    throw new DocumentsError(`${source} cannot be read: give a file or a folder that exists`, { cause });
  });
  if (!(await stat(root)).isDirectory()) return [{ file: root, name: path.basename(root) }];
  const files = await filesBelow(root);
  return files.map((file) => ({ file, name: path.relative(root, file).split(path.sep).join('/') }));
}

async function* documentsOf(file: string, name: string): AsyncGenerator<SourceDocument, void> {
  switch (path.extname(file).toLowerCase()) {
    case '.txt':
      yield { id: name, format: 'plain', text: await readText(file, name) };
      return;
    case '.md':
      yield { id: name, format: 'markdown', text: await readText(file, name) };
      return;
    case '.jsonl':
      yield* documentsOfLines(file, name);
      return;
    default:
      throw new DocumentsError(`${name} is neither of ${EXTENSIONS.join(', ')}`);
  }
}

async function* documentsOfLines(file: string, name: string): AsyncGenerator<SourceDocument, void> {
  let number = 0;
  for await (const line of readLines(file, name)) {
    number += 1;
    if (line.trim() === '') continue;
    const { id, title, text } = parseLine(line, `${name}, line ${number}`);
    yield { id: String(id ?? `${name}:${number}`), format: 'plain', text: title ? `${title}\n\n${text}` : text };
  }
}

function parseLine(line: string, where: string): z.infer<typeof jsonLine> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new DocumentsError(`${where} is not JSON: each line must be an object such as {"id": "a", "text": "..."}`, {
      cause,
    });
  }
  const parsed = jsonLine.safeParse(json);
  if (parsed.success) {
    if (parsed.data.text.isWellFormed() && parsed.data.title?.isWellFormed() !== false) return parsed.data;
    throw new DocumentsError(`${where}: the text holds half of a surrogate pair`);
  }
  const issue = parsed.error.issues[0];
  throw new DocumentsError(`${where}: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}`);
}

async function filesBelow(root: string): Promise<string[]> {
  const files: string[] = [];
  // Links to folders could form a circle; the real paths that were entered end it.
  const entered = new Set<string>();
  const visit = async (folder: string): Promise<void> => {
    const real = await realpath(folder);
    if (entered.has(real) || !isInside(root, real)) return;
    entered.add(real);
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort(byCodeUnit);
    for (const name of names) {
      const file = path.join(folder, name);
      const target = await realpath(file).catch(() => undefined);
      if (target === undefined || !isInside(root, target)) continue;
      const found = await stat(target);
      if (found.isDirectory()) await visit(file);
      else if (found.isFile() && hasKnownExtension(name)) files.push(file);
    }
  };
  await visit(root);
  return files;
}

function isInside(root: string, target: string): boolean {
  return target === root || target.startsWith(root.endsWith(path.sep) ? root : root + path.sep);
}

function hasKnownExtension(name: string): boolean {
  return (EXTENSIONS as readonly string[]).includes(path.extname(name).toLowerCase());
}

/** Not the locale's order: the same folder must give the same order everywhere. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
