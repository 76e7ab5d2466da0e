import { describe, expect, it } from 'vitest';
import { EventParser, EventStreamError } from './event-parser.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

function parse(...parts: readonly Uint8Array[]): string[] {
  const parser = new EventParser();
  return parts.flatMap((part) => parser.push(part));
}

const STREAM =
  '﻿: comment\r\nevent: x\r\ndata: {"a":\r\ndata: "ü😀"}\r\n\r\ndata:b\rdata:  c\r\rid: 1\nretry: 2\n\ndata\n\n: end\n';
const EVENTS = ['{"a":\n"ü😀"}', 'b\n c', ''];

describe('a stream of events', () => {
  it('gives the same events wherever it is cut in two', () => {
    const bytes = bytesOf(STREAM);
    for (let cut = 0; cut <= bytes.length; cut += 1)
      expect(parse(bytes.subarray(0, cut), bytes.subarray(cut)), `at ${cut}`).toEqual(EVENTS);
  });

  it('gives the same events byte by byte', () => {
    expect(parse(...Array.from(bytesOf(STREAM), (byte) => Uint8Array.of(byte)))).toEqual(EVENTS);
  });

  it('gives an event only when it is whole', () => {
    expect(parse(bytesOf('data: a\n'))).toEqual([]);
    expect(parse(bytesOf('data: a\n\n'))).toEqual(['a']);
  });

  it('must be UTF-8', () => {
    expect(() => parse(Uint8Array.of(0x64, 0xff))).toThrow(EventStreamError);
  });

  it('must have events of a bounded size, in one line or in many', () => {
    const million = bytesOf('x'.repeat(1_000_000));
    expect(() => parse(bytesOf('data: '), million, million)).toThrow(/longer than/);
    const line = bytesOf(`data: ${'x'.repeat(100_000)}\n`);
    expect(() => parse(...Array.from({ length: 11 }, () => line))).toThrow(/longer than/);
    const comment = bytesOf(`: ${'x'.repeat(100_000)}\n`);
    expect(parse(...Array.from({ length: 30 }, () => comment), bytesOf('data: a\n\n'))).toEqual(['a']);
  });
});
