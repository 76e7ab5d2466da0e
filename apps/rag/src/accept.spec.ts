import { expect, it } from 'vitest';
import { prefersEventStream } from './accept.ts';

it.each([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/*', false],
  ['application/json', false],
  ['text/event-stream', true],
  ['TEXT/Event-Stream; charset=utf-8', true],
  ['application/json, text/event-stream', true],
  ['application/json;q=0.9, text/event-stream', true],
  ['application/json, text/event-stream; q=0.1', false],
  ['text/event-stream;q=0', false],
  ['text/event-stream;q=high', false],
])('Accept: %s asks for events: %s', (accept, asks) => {
  expect(prefersEventStream(accept)).toBe(asks);
});
