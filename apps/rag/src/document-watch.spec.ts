import { expect, it } from 'vitest';
import { HandClock, settled } from '../../../test/support/hand-clock.ts';
import { DocumentWatch } from './document-watch.ts';

const INTERVAL_MS = 1_000;

/** A watch over documents whose state the test sets. */
function watching({ whileTaken = async () => {} }: { whileTaken?: (signal: AbortSignal) => Promise<void> } = {}) {
  const clock = new HandClock();
  const seen = { state: 'first', taken: [] as string[], clock };
  const watch = new DocumentWatch({
    fingerprint: async () => seen.state,
    taken: 'first',
    intervalMs: INTERVAL_MS,
    clock,
    onChange: async (signal) => {
      seen.taken.push(seen.state);
      await whileTaken(signal);
    },
  });
  return Object.assign(seen, { watch });
}

it('does nothing while nothing changes', async () => {
  const { clock, taken, watch } = watching();
  await clock.advance(20 * INTERVAL_MS);
  expect(clock.pauses).toHaveLength(21);
  expect(taken).toEqual([]);
  await watch.close();
});

it('takes a change once, when it has been the same twice', async () => {
  const seen = watching();
  seen.state = 'second';
  await seen.clock.advance(INTERVAL_MS);
  expect(seen.taken).toEqual([]);
  await seen.clock.advance(INTERVAL_MS);
  expect(seen.taken).toEqual(['second']);
  await seen.clock.advance(10 * INTERVAL_MS);
  expect(seen.taken).toEqual(['second']);
  await seen.watch.close();
});

it('waits until whoever writes is done', async () => {
  const seen = watching();
  for (const state of ['a', 'b', 'c', 'd']) {
    seen.state = state;
    await seen.clock.advance(INTERVAL_MS);
  }
  expect(seen.taken).toEqual([]);
  await seen.clock.advance(INTERVAL_MS);
  expect(seen.taken).toEqual(['d']);
  await seen.watch.close();
});

it('takes what changed while the last change was taken, and what goes back', async () => {
  const held = Promise.withResolvers<void>();
  const seen = watching({ whileTaken: () => held.promise });
  seen.state = 'second';
  await seen.clock.advance(2 * INTERVAL_MS);
  seen.state = 'first';
  await seen.clock.advance(5 * INTERVAL_MS);
  expect(seen.taken).toEqual(['second']);
  held.resolve();
  await settled();
  await seen.clock.advance(2 * INTERVAL_MS);
  expect(seen.taken).toEqual(['second', 'first']);
  await seen.watch.close();
});

it('ends what is under way when it is closed, and looks no more', async () => {
  const seen = watching({
    whileTaken: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  });
  seen.state = 'second';
  await seen.clock.advance(2 * INTERVAL_MS);
  expect(seen.taken).toHaveLength(1);
  await seen.watch.close();
  seen.state = 'third';
  await seen.clock.advance(5 * INTERVAL_MS);
  expect(seen.taken).toHaveLength(1);
});
