import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextStream } from './text-stream.ts';

/** A tokenizer of bytes: every token is one byte, so that characters are torn apart in every possible way. */
const bytesOf = (text: string) => [...Buffer.from(text, 'utf8')];
const decode = (ids: readonly number[]) => Buffer.from(ids as number[]).toString('utf8');

function stream(text: string, stop: readonly string[] = []) {
  const stream = new TextStream(decode, stop);
  const pieces = bytesOf(text).map((byte) => stream.push(byte));
  return { pieces: [...pieces, stream.finish()], stopped: stream.stopped };
}

describe('TextStream', () => {
  it('gives back the whole text, and never half a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const wellFormed = text.toWellFormed();
        const { pieces } = stream(wellFormed);
        expect(pieces.join('')).toBe(wellFormed);
        if (!wellFormed.includes('\u{fffd}')) expect(pieces.join('|')).not.toContain('\u{fffd}');
      }),
    );
  });

  it('ends before the earliest stop sequence, wherever the tokens are cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '🐦'), maxLength: 30 }), (text) => {
        const stop = ['ab', 'bba', '🐦é'];
        const places = stop.map((sequence) => text.indexOf(sequence)).filter((place) => place >= 0);
        const { pieces, stopped } = stream(text, stop);
        expect(stopped).toBe(places.length > 0);
        expect(pieces.join('')).toBe(places.length > 0 ? text.slice(0, Math.min(...places)) : text);
      }),
    );
  });

  it('holds back what may become a stop sequence, and releases it when it does not', () => {
    const textStream = new TextStream(decode, ['END']);
    const pieces = bytesOf('xENx').map((byte) => textStream.push(byte));
    expect(pieces).toEqual(['x', '', '', 'ENx']);
  });

  it('releases an unfinished character as U+FFFD at the end, and does not wait for ever for one', () => {
    const textStream = new TextStream(decode, []);
    const [first] = bytesOf('é');
    expect([textStream.push(first!), textStream.finish()]).toEqual(['', '\u{fffd}']);
    const broken = new TextStream(decode, []);
    const pieces = Array.from({ length: 8 }, () => broken.push(0xff));
    expect(pieces.join('')).toContain('\u{fffd}');
  });

  it('ignores tokens after the stop', () => {
    const textStream = new TextStream(decode, ['.']);
    for (const byte of bytesOf('a.b')) textStream.push(byte);
    expect(textStream.push(bytesOf('c')[0]!) + textStream.finish()).toBe('');
  });
});
