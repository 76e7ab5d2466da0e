/** Reads text files strictly and in slices: what is not UTF-8 text is named, never guessed at. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Of a .txt or .md file, in bytes. */
export const MAX_TEXT_FILE_BYTES = 16 * 1024 * 1024;

/** Of a line of a .jsonl file, in UTF-16 code units. */
export const MAX_LINE_LENGTH = 1024 * 1024;

/** Bytes per read: decoding them takes well under a millisecond. */
const READ_BYTES = 64 * 1024;

/** Documents that cannot be served; the message names the file and what to change. */
export class DocumentsError extends Error {
  override readonly name = 'DocumentsError';
}

/**
 * A whole file; a byte order mark is dropped.
 * @param name for messages
 * @throws DocumentsError when it is too large, binary or not UTF-8
 */
export async function readText(file: string, name: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_TEXT_FILE_BYTES)
    throw new DocumentsError(`${name} has ${size} bytes; at most ${MAX_TEXT_FILE_BYTES} are taken: split it`);
  const parts: string[] = [];
  for await (const part of decoded(file, name)) parts.push(part);
  return parts.join('');
}

/**
 * The lines of a file without their ends.
 * @throws DocumentsError when a line is too long, or the file binary or not UTF-8
 */
export async function* readLines(file: string, name: string): AsyncGenerator<string, void> {
  let rest = '';
  let number = 1;
  for await (const part of decoded(file, name)) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      yield line;
      number += 1;
    }
    if (rest.length > MAX_LINE_LENGTH)
      throw new DocumentsError(`${name}, line ${number} is longer than ${MAX_LINE_LENGTH} characters: split it`);
  }
  if (rest !== '') yield rest;
}

async function* decoded(file: string, name: string): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const stream = createReadStream(file, { highWaterMark: READ_BYTES });
  for await (const bytes of stream) {
    const chunk = bytes as Buffer;
    if (chunk.includes(0)) throw new DocumentsError(`${name} is binary (it holds a zero byte): give text files only`);
    yield decode(decoder, name, chunk);
  }
  yield decode(decoder, name);
}

function decode(decoder: InstanceType<typeof TextDecoder>, name: string, bytes?: Buffer): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch (cause) {
    throw new DocumentsError(`${name} is not UTF-8: convert it, for example with iconv`, { cause });
  }
}
