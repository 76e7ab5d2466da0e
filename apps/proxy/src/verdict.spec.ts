import { describe, expect, it } from 'vitest';
import { answerWhenRefused, verdictOn } from './verdict.ts';

describe('the verdict on a status', () => {
  it.each([200, 204, 301, 400, 401, 404, 408, 413, 422, 501, 504, 507])('%i is an answer', (status) => {
    expect(verdictOn(status, {})).toEqual({ kind: 'answer' });
  });

  it.each([500, 502])('%i is a failure of the pod', (status) => {
    expect(verdictOn(status, {})).toEqual({ kind: 'failed' });
  });

  it.each([429, 503])('%i is a pod that is busy, for as long as it says', (status) => {
    for (const [given, seconds] of [
      [undefined, 1],
      ['0', 0],
      ['0.5', 0.5],
      ['7', 7],
      ['-1', 1],
      ['Infinity', 1],
      ['Wed, 21 Oct 2026 07:28:00 GMT', 1],
    ] as const) {
      const headers = given === undefined ? {} : { 'retry-after': given };
      expect(verdictOn(status, headers)).toEqual({ kind: 'busy', retryAfterSeconds: seconds });
    }
  });
});

describe('a refusal by the line', () => {
  it.each(['requests', 'tokens', 'deadline'] as const)(
    'for %s is a 429 that says why and when to come again',
    (reason) => {
      const error = answerWhenRefused({ reason, retryAfterSeconds: 7 });
      expect([error.code, error.status, error.headers]).toEqual(['queue_full', 429, { 'retry-after': '7' }]);
      expect(error.message).toContain('try again after Retry-After');
    },
  );
});
