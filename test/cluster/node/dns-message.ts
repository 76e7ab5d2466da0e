/** How is a question of DNS read and an answer written? What a cluster's DNS needs of RFC 1035 and RFC 2782. */
import { Buffer } from 'node:buffer';

export const TYPE = { a: 1, aaaa: 28, srv: 33 } as const;

export interface Question {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** In lower case. */
  readonly name: string;
  readonly type: number;
  /** As it was asked, to be repeated. */
  readonly bytes: Buffer;
  /** Of an answer over UDP: 512 unless the question says more (RFC 6891). */
  readonly maxBytes: number;
}

export type DnsRecord =
  | { readonly type: 'A'; readonly name: string; readonly address: string }
  | { readonly type: 'SRV'; readonly name: string; readonly target: string; readonly port: number };

export interface Answer {
  readonly code: 'found' | 'no such name' | 'refused';
  readonly records: readonly DnsRecord[];
  /** Not asked for, but asked next: the addresses of the targets of SRV. */
  readonly additional: readonly DnsRecord[];
}

const CODES = { found: 0, 'no such name': 3, refused: 5 } as const;
const TTL_SECONDS = 5;
const INTERNET = 1;
const OPT = 41;
const HEADER_BYTES = 12;

/** @throws RangeError when it ends too early */
export function readQuestion(message: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const type = message.readUInt16BE(at + 1);
  const end = at + 5;
  return {
    id: message.readUInt16BE(0),
    recursionDesired: (message.readUInt16BE(2) & 0x0100) > 0,
    name: labels.join('.').toLowerCase(),
    type,
    bytes: message.subarray(HEADER_BYTES, end),
    maxBytes: payloadBytes(message, end),
  };
}

/** @param maxBytes an answer that is longer says only that it is, so that the question comes again over TCP */
export function writeAnswer(question: Question, answer: Answer, maxBytes = question.maxBytes): Buffer {
  const whole = write(question, answer, false);
  return whole.length <= maxBytes ? whole : write(question, { ...answer, records: [], additional: [] }, true);
}

function write(question: Question, { code, records, additional }: Answer, isTruncated: boolean): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.id, 0);
  // An answer, from who knows best, without asking others.
  header.writeUInt16BE(0x8400 | (isTruncated ? 0x0200 : 0) | (question.recursionDesired ? 0x0100 : 0) | CODES[code], 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(additional.length, 10);
  return Buffer.concat([header, question.bytes, ...[...records, ...additional].map(writeRecord)]);
}

function writeRecord(record: DnsRecord): Buffer {
  const data =
    record.type === 'A'
      ? Buffer.from(record.address.split('.').map(Number))
      : // Priority, weight, port, target.
        Buffer.concat([uint16(0), uint16(100), uint16(record.port), writeName(record.target)]);
  const type = record.type === 'A' ? TYPE.a : TYPE.srv;
  const fixed = [uint16(type), uint16(INTERNET), uint16(0), uint16(TTL_SECONDS), uint16(data.length)];
  return Buffer.concat([writeName(record.name), ...fixed, data]);
}

function writeName(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  return Buffer.concat([...labels, Buffer.from([0])]);
}

/** What the pseudo-record OPT after the question says, where there is one. */
function payloadBytes(message: Buffer, end: number): number {
  const hasOne = message.length >= end + 5 && message.readUInt8(end) === 0 && message.readUInt16BE(end + 1) === OPT;
  return hasOne ? Math.max(512, message.readUInt16BE(end + 3)) : 512;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
