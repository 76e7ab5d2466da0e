/** What becomes of processes that answer late, wrongly or never? */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HandClock, settled } from '../../../test/support/hand-clock.ts';
import { MetricsFetcher, Scraper } from '../src/measuring/scraper.ts';

let server: Server;
let url: string;
let serve: RequestListener;
let fetcher: MetricsFetcher;
beforeEach(async () => {
  server = createServer((request, response) => serve(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  fetcher = new MetricsFetcher(50);
});
afterEach(async () => {
  await fetcher.close();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const { signal } = new AbortController();

it('asks for the metrics', async () => {
  serve = (request, response) => response.end(`${request.method} ${request.url}`);
  const patient = new MetricsFetcher(10_000);
  expect(await patient.fetch(url, signal)).toBe('GET /metrics');
  await patient.close();
});

it('waits for an answer no longer than it should', async () => {
  serve = () => undefined;
  await expect(fetcher.fetch(url, signal)).rejects.toThrow('no answer within 50 ms');
  serve = (_, response) => response.write('a_total 1\n');
  await expect(fetcher.fetch(url, signal)).rejects.toThrow('no answer within 50 ms');
});

it('takes no other status for an answer', async () => {
  serve = (_, response) => response.writeHead(503).end('draining');
  const patient = new MetricsFetcher(10_000);
  await expect(patient.fetch(url, signal)).rejects.toThrow('it answers 503');
  await patient.close();
});

it('asks the others while one does not answer, and that one not twice at once', async () => {
  const clock = new HandClock();
  const asked: string[] = [];
  const texts: string[] = [];
  const scraper = new Scraper({
    sources: () =>
      new Map([
        ['a', 'a'],
        ['b', 'b'],
      ]),
    fetch: async (from, ends) => {
      asked.push(from);
      if (from === 'a') await new Promise((_, reject) => ends.addEventListener('abort', () => reject(ends.reason)));
      return from;
    },
    clock,
    intervalMs: 1_000,
    onText: (name) => texts.push(name),
  });
  scraper.start();
  await clock.advance(2_000);
  expect(asked).toEqual(['a', 'b', 'b', 'b']);
  expect(texts).toEqual(['b', 'b', 'b']);
  await scraper.stop();
  await clock.advance(5_000);
  expect(asked.length).toBe(4);
});

it('forgets who has gone, and does not take a late answer for that of a new one with the same name', async () => {
  const clock = new HandClock();
  const texts: string[] = [];
  const answers: ((text: string) => void)[] = [];
  let sources = new Map([['a', 'first']]);
  const scraper = new Scraper({
    sources: () => sources,
    fetch: () => new Promise((resolve) => answers.push(resolve)),
    clock,
    intervalMs: 1_000,
    onText: (_, text) => texts.push(text),
  });
  scraper.start();
  await clock.advance(0);
  sources = new Map();
  await clock.advance(1_000);
  expect(scraper.names).toEqual([]);
  sources = new Map([['a', 'second']]);
  await clock.advance(1_000);
  answers[0]!('of the first');
  answers[1]!('of the second');
  await settled();
  expect(texts).toEqual(['of the second']);
  await scraper.stop();
});
