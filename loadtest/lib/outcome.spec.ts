import { ERRORS } from '@ragscale/service/error-catalogue';
import { describe, expect, it, test } from 'vitest';
import { endingOf, REASONS } from './outcome.ts';

const answer = JSON.stringify({ query: 'q', result: 'r', sources: [] });
const refusal = (code: string) => JSON.stringify({ error: { message: 'm', type: 't', code, param: null } });
const received = (parts: Partial<Parameters<typeof endingOf>[0]>) => ({
  status: 200,
  body: answer,
  serverTiming: 'queue;dur=1.5, decode;dur=2, total;dur=4, proxy-wait;dur=0.5, proxy-tries;desc="1"',
  errorCode: 0,
  ...parts,
});
const sources = 'event: sources\ndata: {"query":"q","sources":[]}\n\nevent: token\ndata: {"text":"a"}\n\n';
const done = `event: done\ndata: {"finish_reason":"stop","timings":{"queue":1,"prefill":7,"total":9}}\n\n`;

test('a whole answer is answered, and says where its time went', () => {
  expect(endingOf(received({}), false)).toEqual({
    outcome: 'answered',
    parts: { queue: 1.5, decode: 2, total: 4, 'proxy-wait': 0.5 },
  });
});

test('a stream is answered when it ends with done, whose times count', () => {
  const { outcome, parts } = endingOf(
    received({ body: sources + done, serverTiming: 'queue;dur=1, embed;dur=3' }),
    true,
  );
  expect([outcome, parts]).toEqual(['answered', { queue: 1, embed: 3, prefill: 7, total: 9 }]);
});

describe('what is no answer is told apart', () => {
  it.each([
    ['a full queue', { status: 429, body: refusal('queue_full') }, 'refused', 'queue_full'],
    ['a drain', { status: 503, body: refusal('draining') }, 'refused', 'draining'],
    ['a deadline', { status: 504, body: refusal('deadline_exceeded') }, 'refused', 'deadline_exceeded'],
    [
      'a gateway between that answers for itself',
      { status: 503, body: '<h1>Service Unavailable</h1>' },
      'failed',
      'not_an_answer',
    ],
    ['a pod that failed', { status: 502, body: refusal('upstream_failed') }, 'failed', 'upstream_failed'],
    ['a fault', { status: 500, body: refusal('internal') }, 'failed', 'internal'],
    ['a wrong request', { status: 400, body: refusal('context_length_exceeded') }, 'failed', 'context_length_exceeded'],
    ['a code that nobody knows', { status: 429, body: refusal('surprise') }, 'refused', 'other'],
    ['an empty page', { body: '' }, 'failed', 'not_an_answer'],
    ['an answer without sources', { body: '{"result":"r"}' }, 'failed', 'not_an_answer'],
    ['null', { body: 'null' }, 'failed', 'not_an_answer'],
    ['nobody there', { status: 0, body: '', errorCode: 1212 }, 'failed', 'connection_refused'],
    ['a name that nobody has', { status: 0, body: '', errorCode: 1101 }, 'failed', 'no_connection'],
    ['no answer in time', { status: 0, body: '', errorCode: 1050 }, 'failed', 'no_answer_in_time'],
    ['an answer that was cut', { status: 200, body: '{"res', errorCode: 1000 }, 'failed', 'connection_lost'],
  ] as const)('%s', (_, parts, outcome, reason) => {
    expect(endingOf(received(parts), false)).toMatchObject({ outcome, reason });
  });

  it.each([
    [
      'an error event',
      `${sources}event: error\ndata: ${refusal('deadline_exceeded')}\n\n`,
      'broken',
      'deadline_exceeded',
    ],
    ['an end in the middle', sources, 'failed', 'stream_cut'],
    ['half an event', `${sources}event: done\ndata: {"finish`, 'failed', 'stream_cut'],
    ['a token that says done', `${sources}event: token\ndata: {"text":"event: done"}\n\n`, 'failed', 'stream_cut'],
  ] as const)('of a stream: %s', (_, body, outcome, reason) => {
    expect(endingOf(received({ body }), true)).toMatchObject({ outcome, reason });
  });
});

test('every code that a server of ours can answer with is counted under its name', () => {
  expect(REASONS).toEqual(expect.arrayContaining(Object.keys(ERRORS)));
});
