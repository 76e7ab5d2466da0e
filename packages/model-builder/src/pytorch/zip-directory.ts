/**
 * Which files does a zip archive hold, and where in it do they lie? Nothing is unpacked: `torch.save` stores as it is, and what is
 * compressed is refused. The format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { BuildError } from '../errors.ts';
import { readAt } from '../stored-tensor.ts';

export interface ZipEntry {
  readonly start: number;
  readonly bytes: number;
  readonly crc32: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const END_64_LOCATOR = 0x07064b50;
const END_64_LOCATOR_BYTES = 20;
const END_64 = 0x06064b50;
const END_64_BYTES = 56;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** Names and places of hundreds of thousands of tensors. */
const MAX_DIRECTORY_BYTES = 64_000_000;
/** In a field of 32 bits: the value is in the extra field of zip64. */
const ELSEWHERE = 0xffffffff;

/** @throws BuildError naming the file when it is no archive, cut short, or made in a way in which no checkpoint is */
export function readZipDirectory(file: string): ReadonlyMap<string, ZipEntry> {
  const fd = openSync(file, 'r');
  try {
    const fileBytes = fstatSync(fd).size;
    const { offset, bytes } = findDirectory(fd, file, fileBytes);
    if (bytes > MAX_DIRECTORY_BYTES || offset + bytes > fileBytes)
      throw damaged(file, 'its directory lies outside of it');
    return readEntries(fd, file, fileBytes, readAt(fd, file, offset, bytes));
  } finally {
    closeSync(fd);
  }
}

function findDirectory(fd: number, file: string, fileBytes: number): { offset: number; bytes: number } {
  const tailBytes = Math.min(fileBytes, END_BYTES + MAX_COMMENT_BYTES + END_64_LOCATOR_BYTES);
  const tail = readAt(fd, file, fileBytes - tailBytes, tailBytes);
  let at = tailBytes - END_BYTES;
  while (at >= 0 && tail.readUInt32LE(at) !== END) at--;
  if (at < 0) throw new BuildError(`${file} is cut short: a zip archive without its directory at the end`);
  const [bytes, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  const locator = at - END_64_LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== END_64_LOCATOR) return { offset, bytes };
  const place = Number(tail.readBigUInt64LE(locator + 8));
  if (place + END_64_BYTES > fileBytes) throw damaged(file, 'the end of its directory lies outside of it');
  const end = readAt(fd, file, place, END_64_BYTES);
  if (end.readUInt32LE(0) !== END_64) throw damaged(file, 'the end of its directory is not where it should be');
  return { bytes: Number(end.readBigUInt64LE(40)), offset: Number(end.readBigUInt64LE(48)) };
}

function readEntries(fd: number, file: string, fileBytes: number, directory: Buffer): ReadonlyMap<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at < directory.length; ) {
    if (at + CENTRAL_BYTES > directory.length || directory.readUInt32LE(at) !== CENTRAL)
      throw damaged(file, 'its directory is not one');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const nameEnd = at + CENTRAL_BYTES + nameBytes;
    const next = nameEnd + extraBytes + commentBytes;
    if (next > directory.length) throw damaged(file, 'its directory ends too early');
    const name = directory.toString('utf8', at + CENTRAL_BYTES, nameEnd);
    const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)];
    if ((flags & 1) !== 0) throw damaged(file, `${JSON.stringify(name)} is encrypted`);
    if (method !== 0) throw damaged(file, `${JSON.stringify(name)} is compressed, as torch.save never does`);
    const sizes = [24, 20, 42].map((field) => directory.readUInt32LE(at + field));
    const [bytes, stored, local] = withZip64(sizes, directory.subarray(nameEnd, nameEnd + extraBytes));
    if (bytes !== stored) throw damaged(file, `${JSON.stringify(name)} has two sizes`);
    if (entries.has(name)) throw damaged(file, `${JSON.stringify(name)} is in it twice`);
    const start = dataStart(fd, file, fileBytes, local!);
    if (!(start + bytes! <= fileBytes))
      throw new BuildError(
        `${file} is cut short: ${JSON.stringify(name)} ends at ${start + bytes!} of ${fileBytes} bytes`,
      );
    entries.set(name, { start, bytes: bytes!, crc32: directory.readUInt32LE(at + 16) });
    at = next;
  }
  return entries;
}

/** Of the given values (uncompressed, compressed, offset) those that say 'elsewhere' are in the extra field 1, in this order. */
function withZip64(values: readonly number[], extra: Buffer): number[] {
  let field: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  let taken = 0;
  return values.map((value) => {
    if (value !== ELSEWHERE || taken + 8 > field.length) return value;
    taken += 8;
    return Number(field.readBigUInt64LE(taken - 8));
  });
}

/** The names before the data have a length of their own, which only the entry itself says. */
function dataStart(fd: number, file: string, fileBytes: number, local: number): number {
  if (!(local + LOCAL_BYTES <= fileBytes)) throw damaged(file, `an entry begins at ${local}, outside of it`);
  const head = readAt(fd, file, local, LOCAL_BYTES);
  if (head.readUInt32LE(0) !== LOCAL) throw damaged(file, `there is no entry at ${local}, where its directory says`);
  return local + LOCAL_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28);
}

const damaged = (file: string, what: string) =>
  new BuildError(`${file} is not an archive that PyTorch writes: ${what}`);
