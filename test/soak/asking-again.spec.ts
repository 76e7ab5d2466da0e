import { expect, it } from 'vitest';
import type { Reply } from '../e2e/support/ask.ts';
import { mayAskAgain } from './asking-again.ts';

const reply = (outcome: Reply['outcome'], status: number, reason = ''): Reply => ({
  outcome,
  status,
  reason,
  requestId: '',
  headers: {},
  body: '',
});

it('a client asks again when the connection broke, or an answer was cut, as its proxy was killed', () => {
  expect(mayAskAgain(reply('failed', 0, 'ECONNREFUSED: connect'), 1_000, 2_000, [{ at: 1_500, overAt: 5_000 }])).toBe(
    true,
  );
  expect(
    mayAskAgain(reply('failed', 200, 'UND_ERR_SOCKET: other side closed'), 1_000, 2_000, [
      { at: 1_500, overAt: 5_000 },
    ]),
  ).toBe(true);
});

it('or when the one that was killed is not back yet', () => {
  const notBack = [{ at: 1_500, overAt: Number.POSITIVE_INFINITY }];
  expect(mayAskAgain(reply('failed', 0, 'ECONNREFUSED: connect'), 90_000, 90_001, notBack)).toBe(true);
  expect(mayAskAgain(reply('failed', 0, 'ECONNREFUSED: connect'), 3_000, 3_001, [{ at: 1_500, overAt: 5_000 }])).toBe(
    true,
  );
  expect(mayAskAgain(reply('failed', 0, 'ECONNREFUSED: connect'), 60_000, 60_001, [{ at: 1_500, overAt: 5_000 }])).toBe(
    false,
  );
});

it('never when no proxy was killed, or only after the answer had failed', () => {
  expect(mayAskAgain(reply('failed', 0, 'ECONNREFUSED: connect'), 1_000, 2_000, [])).toBe(false);
  expect(mayAskAgain(reply('failed', 0, 'ECONNREFUSED: connect'), 1_000, 2_000, [{ at: 2_001, overAt: 5_000 }])).toBe(
    false,
  );
});

it('never when a server said something: it has to mean it', () => {
  const deaths = [{ at: 1_500, overAt: 5_000 }];
  expect(mayAskAgain(reply('answered', 200), 1_000, 2_000, deaths)).toBe(false);
  expect(mayAskAgain(reply('refused', 429), 1_000, 2_000, deaths)).toBe(false);
  expect(mayAskAgain(reply('broken', 200), 1_000, 2_000, deaths)).toBe(false);
  expect(mayAskAgain(reply('failed', 502, 'upstream_failed'), 1_000, 2_000, deaths)).toBe(false);
  expect(mayAskAgain(reply('failed', 200, 'a stream without an end'), 1_000, 2_000, deaths)).toBe(false);
  expect(mayAskAgain(reply('failed', 200, 'no answer in {}'), 1_000, 2_000, deaths)).toBe(false);
});
