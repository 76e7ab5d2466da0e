/** Is every request of the sender accounted for as what it was, and do they leave as a Poisson process would? */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allAnswered, goodShare } from './account.ts';
import { Load } from './load.ts';

const ANSWER = JSON.stringify({ query: 'q', result: 'r', sources: [] });
const ERROR = JSON.stringify({ error: { message: 'm', type: 't', code: 'queue_full', param: null } });
const SOURCES = 'event: sources\ndata: []\n\n';

let server: Server;
let handle: (response: ServerResponse, request: IncomingMessage) => void;

beforeEach(async () => {
  handle = (response) => response.end(ANSWER);
  server = createServer((request, response) => {
    request.resume();
    request.once('end', () => handle(response, request));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const load = (options: ConstructorParameters<typeof Load>[1] = {}) =>
  new Load(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, options);

const streams = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

describe('one request', () => {
  it.each<[string, boolean, (response: ServerResponse) => void, object]>([
    ['a whole answer', false, (response) => response.end(ANSWER), { outcome: 'answered', status: 200, reason: '' }],
    [
      'a whole stream',
      true,
      (response) => streams(response).end(`${SOURCES}event: done\ndata: {}\n\n`),
      { outcome: 'answered', status: 200 },
    ],
    ...([429, 503, 504] as const).map((status): [string, boolean, (response: ServerResponse) => void, object] => [
      `${status} with a reason`,
      false,
      (response) => response.writeHead(status).end(ERROR),
      { outcome: 'refused', status, reason: 'queue_full' },
    ]),
    [
      '503 of somebody else',
      false,
      (response) => response.writeHead(503).end('<html>'),
      { outcome: 'failed', status: 503, reason: '503 without a reason' },
    ],
    ['502, even with a reason', false, (response) => response.writeHead(502).end(ERROR), { outcome: 'failed' }],
    ['200 without an answer', false, (response) => response.end('{}'), { outcome: 'failed', status: 200 }],
    [
      'a stream with an error at its end',
      true,
      (response) => streams(response).end(`${SOURCES}event: error\ndata: ${ERROR}\n\n`),
      { outcome: 'broken', status: 200, reason: 'queue_full' },
    ],
    [
      'a stream with an error and more after it',
      true,
      (response) => streams(response).end(`${SOURCES}event: error\ndata: ${ERROR}\n\n${SOURCES}`),
      { outcome: 'failed', reason: 'a stream without an end' },
    ],
    [
      'a stream that just ends',
      true,
      (response) => streams(response).end(SOURCES),
      { outcome: 'failed', reason: 'a stream without an end' },
    ],
    [
      'a stream that ends within an event',
      true,
      (response) => streams(response).end(`${SOURCES}event: done\ndata: {`),
      { outcome: 'failed', reason: 'a stream that ends within an event' },
    ],
    [
      'a stream whose connection is cut',
      true,
      (response) => streams(response).write(SOURCES, () => response.destroy()),
      { outcome: 'failed', status: 200 },
    ],
    ['no answer at all', false, (response) => response.destroy(), { outcome: 'failed', status: 0 }],
  ])('%s', async (_, stream, answer, expected) => {
    handle = answer;
    await using sender = load();
    expect(await sender.ask({ stream })).toMatchObject({ ...expected, streamed: stream });
    expect(sender.account()).toMatchObject({ asked: 1, [(expected as { outcome: string }).outcome]: 1 });
  });

  it('nobody there', async () => {
    await using sender = load();
    server.close();
    expect(await sender.ask()).toMatchObject({ outcome: 'failed', status: 0, reason: /ECONNREFUSED/ });
  });
});

it('a load is accounted for to the last request, each reason by how often', async () => {
  let served = 0;
  handle = (response) => {
    served += 1;
    if (served % 5 === 0) response.writeHead(429).end(ERROR);
    else response.end(ANSWER);
  };
  await using sender = load({ streamed: 0 });
  sender.perSecond = 400;
  await sender.more(100);
  const account = await sender.end();
  const refused = Math.floor(served / 5);
  expect(account).toEqual({
    ...{ asked: served, answered: served - refused, refused, broken: 0, failed: 0 },
    reasons: { 'refused 429 queue_full': refused },
  });
  expect(account).not.toEqual(allAnswered(account));
  expect(goodShare(sender.records, 60_000)).toBeCloseTo(1 - refused / served);
  expect(goodShare(sender.records, 0)).toBe(0);
});

it('requests leave whatever became of those before', async () => {
  const held: ServerResponse[] = [];
  handle = (response) => held.push(response);
  await using sender = load({ streamed: 0 });
  sender.perSecond = 400;
  while (held.length < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(sender.account()).toMatchObject({ asked: 0 });
  handle = (response) => response.end(ANSWER);
  for (const response of held) response.end(ANSWER);
  const account = await sender.end();
  expect(account.asked).toBeGreaterThanOrEqual(50);
  expect(account).toEqual(allAnswered(account));
});

it('gaps are those of a Poisson process, the same ones for a seed', async () => {
  const gapsOf = async (seed: number) => {
    await using sender = load({ streamed: 0, seed });
    sender.perSecond = 500;
    await sender.more(400);
    await sender.end();
    const due = sender.records.map(({ dueAt }) => dueAt).sort((a, b) => a - b);
    return due.slice(1).map((at, index) => at - (due[index] as number));
  };
  const [first, again, other] = [await gapsOf(1), await gapsOf(1), await gapsOf(2)];
  // Unix time has no more than four places after a millisecond.
  const differences = (gaps: readonly number[]) =>
    first.slice(0, 300).map((gap, index) => Math.abs(gap - (gaps[index] as number)));
  expect(Math.max(...differences(again))).toBeLessThan(0.01);
  expect(Math.max(...differences(other))).toBeGreaterThan(1);
  const mean = first.reduce((sum, gap) => sum + gap, 0) / first.length;
  const deviation = Math.sqrt(first.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / first.length);
  expect(mean).toBeGreaterThan(1.7);
  expect(mean).toBeLessThan(2.3);
  // 1 for exponential gaps, 0 for even ones.
  expect(deviation / mean).toBeGreaterThan(0.85);
  expect(deviation / mean).toBeLessThan(1.15);
});
