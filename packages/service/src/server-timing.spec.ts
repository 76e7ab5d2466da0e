import { expect, it } from 'vitest';
import { renderServerTiming } from './server-timing.ts';

it('lists the stages in order and the total, in milliseconds', () => {
  const stages = { queue: 0.1, embed: 2.34567, retrieve: 0, prefill: 10, decode: 1e-9 };
  expect(renderServerTiming(stages, 12.5)).toBe(
    'queue;dur=0.1, embed;dur=2.346, retrieve;dur=0, prefill;dur=10, decode;dur=0, total;dur=12.5',
  );
});

it('leaves out what is not known yet', () => {
  expect(renderServerTiming({ queue: 0.1, embed: 2, retrieve: 0.5 })).toBe(
    'queue;dur=0.1, embed;dur=2, retrieve;dur=0.5',
  );
  expect(renderServerTiming({ embed: 2 }, 3)).toBe('embed;dur=2, total;dur=3');
});
