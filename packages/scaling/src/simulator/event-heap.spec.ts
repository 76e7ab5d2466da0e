import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventHeap } from './event-heap.ts';

describe('the heap of events', () => {
  it('gives them in the order of their times, and of their pushes where times are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 3000 }), (times) => {
        const heap = new EventHeap();
        times.forEach((at, index) => {
          heap.push(at, index % 7, index, -index);
        });
        const popped: number[] = [];
        while (heap.pop()) {
          expect(heap.at).toBe(times[heap.subject]);
          expect(heap.kind).toBe(heap.subject % 7);
          expect(heap.version === -heap.subject).toBe(true);
          popped.push(heap.subject);
        }
        expect(popped).toEqual(times.map((_, index) => index).sort((a, b) => times[a]! - times[b]! || a - b));
      }),
      { numRuns: 50 },
    );
  });

  it('knows when it is empty', () => {
    const heap = new EventHeap();
    expect([heap.nextAt, heap.size, heap.pop()]).toEqual([Number.POSITIVE_INFINITY, 0, false]);
    heap.push(5, 1);
    expect([heap.nextAt, heap.size]).toEqual([5, 1]);
  });
});
