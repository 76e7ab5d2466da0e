/** A stream of events in pieces: whatever the pieces, the same bytes, whole events, and the same findings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventTail } from './event-tail.ts';

const LINES = [
  'event: sources',
  'event: token',
  'event: done',
  'event: error',
  'data: {"error":{"code":"internal"}}',
  'data: {"choices":[{"delta":{"content":""}}]}',
  'data: {"choices":[{"delta":{"content":"a"}}]}',
  'data: {"text":"event: token\\n\\"content\\":\\"a"}',
  'data: {"text":"\u00e9\u{1f600}"}',
  'data: no error',
  ': a comment',
  'data:',
];

const event = fc
  .tuple(fc.array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 3 }), fc.constantFrom('\n', '\r\n'))
  .map(([lines, end]) => lines.join(end) + end + end);
/** Events, and perhaps the beginning of one more. */
const stream = fc
  .tuple(fc.array(event, { maxLength: 8 }), fc.constantFrom('', 'data: half', 'event: token\n', '\n', '\r\n'))
  .map(([events, rest]) => Buffer.from(events.join('') + rest));
const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 40 });

function pieces(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b).concat(bytes.length);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('a stream of events in pieces', () => {
  it('goes on as the same bytes', () => {
    fc.assert(
      fc.property(stream, cuts, (bytes, at) => {
        const tail = new EventTail();
        const out = pieces(bytes, at).map((piece) => Buffer.from(tail.push(piece)));
        expect(Buffer.concat([...out, tail.rest()])).toEqual(bytes);
        expect(tail.rest()).toHaveLength(0);
      }),
    );
  });

  it('goes on in whole events until its end', () => {
    fc.assert(
      fc.property(stream, cuts, (bytes, at) => {
        const tail = new EventTail();
        for (const piece of pieces(bytes, at)) {
          const out = tail.push(piece).toString('latin1');
          expect(out).toMatch(/^$|\n\r?\n$/);
          expect(tail.isTorn).toBe(false);
        }
        expect(tail.rest().toString('latin1')).not.toMatch(/\n\n|\r\n\r\n/);
      }),
    );
  });

  it('shows its first token and its error like the stream in one piece', () => {
    fc.assert(
      fc.property(stream, cuts, (bytes, at) => {
        const whole = new EventTail();
        whole.push(bytes);
        const tail = new EventTail();
        for (const piece of pieces(bytes, at)) tail.push(piece);
        expect([tail.sawToken, tail.sawError]).toEqual([whole.sawToken, whole.sawError]);
        whole.rest();
        tail.rest();
        expect([tail.sawToken, tail.sawError]).toEqual([whole.sawToken, whole.sawError]);
      }),
    );
  });
});

describe('an event', () => {
  it.each([
    ['event: token\ndata: {"text":"a"}\n\n', true, false],
    ['event: token\r\ndata: {"text":"a"}\r\n\r\n', true, false],
    ['event: tokens\ndata: a\n\n', false, false],
    ['event: sources\ndata: {"text":"event: token"}\n\n', false, false],
    ['data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n', false, false],
    ['data: {"choices":[{"delta":{"content":"a"}}]}\n\n', true, false],
    ['data: {"choices":[{"delta":{"content":"\\""}}]}\n\n', true, false],
    ['event: error\ndata: {"error":{}}\n\n', false, true],
    ['data: {"error":{"message":"a"}}\n\n', false, true],
    ['data:{"error":{"message":"a"}}\n\n', false, true],
    ['event: token\ndata: {"text":"data: {\\"error\\":"}\n\n', true, false],
  ])('is recognized: %j', (text, isToken, isError) => {
    const tail = new EventTail();
    tail.push(Buffer.from(text));
    expect([tail.sawToken, tail.sawError]).toEqual([isToken, isError]);
  });

  it('that is too long to be held goes on in pieces, and that is known until it ends', () => {
    const tail = new EventTail();
    expect(tail.push(Buffer.alloc(65_536, 'a'))).toHaveLength(0);
    expect(tail.push(Buffer.from('b'))).toHaveLength(65_537);
    expect(tail.isTorn).toBe(true);
    expect(tail.push(Buffer.from('\n\ndata'))).toHaveLength(2);
    expect(tail.isTorn).toBe(false);
    expect(tail.rest().toString()).toBe('data');
  });
});
