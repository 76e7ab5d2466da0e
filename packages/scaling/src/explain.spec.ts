import { expect, it } from 'vitest';
import { explain } from './explain.ts';

const OBJECTIVE = { metric: 'duration', latencyMs: 2_000, percentile: 95 } as const;
const TERMS = {
  spec: 4,
  ready: 4,
  starting: 0,
  perSecond: 11.2,
  aloneMs: 520,
  slots: 1,
  load: 6,
  planned: 7,
  backlog: 0,
};

it('can be checked by hand', () => {
  expect(explain({ replicas: 7, recommended: 7, reason: 'load', terms: TERMS }, OBJECTIVE)).toBe(
    '4 -> 7 load: 11.2/s x 0.52 s = 5.8 busy, 95% under 2 s needs 6 (Erlang), 7 with what may come, +0 backlog; ready 4, starting 0',
  );
});

it('names what bound it', () => {
  const line = explain(
    { replicas: 5, recommended: 7, reason: 'at-max', terms: { ...TERMS, min: 1, max: 5 } },
    OBJECTIVE,
  );
  expect(line).toMatch(/starting 0; wanted 7, min 1, max 5$/);
});

it('says how pods batch, and when nothing is known', () => {
  const batched = { ...TERMS, slots: 16, growth: 0.549 };
  expect(explain({ replicas: 7, recommended: 7, reason: 'load', terms: batched }, OBJECTIVE)).toContain(
    ', 16 slots, k at once take k^0.55 as long, ',
  );
  const blind = { spec: 4, ready: 4, starting: 0, failures: 3 };
  expect(explain({ replicas: 4, recommended: 4, reason: 'no-data', terms: blind }, OBJECTIVE)).toBe(
    '4 -> 4 no-data: no arrivals known, 3 times in a row; ready 4, starting 0',
  );
});
