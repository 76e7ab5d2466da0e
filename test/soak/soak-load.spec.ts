import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { uniform } from '../../bench/lib/uniform.ts';
import { poissonArrivals } from '../../bench/serving/schedule.ts';
import type { Death } from './asking-again.ts';
import { type SoakRecord, sendLoad } from './soak-load.ts';

/** A second of it. */
const LOAD = { rate: 60, minutes: 1 / 60, seed: 5 };
const planned = poissonArrivals(LOAD.rate, LOAD.minutes * 60, uniform(LOAD.seed)).length;

let server: Server;
let url: string;
let answer: (response: ServerResponse, request: IncomingMessage, question: { query: string; stream: boolean }) => void;
const questions = new Set<string>();

function good(response: ServerResponse, _: IncomingMessage, { stream }: { stream: boolean }): void {
  if (stream) response.end('event: sources\ndata: []\n\nevent: done\ndata: {}\n\n');
  else response.end(JSON.stringify({ result: 'r', sources: [] }));
}

beforeEach(async () => {
  questions.clear();
  answer = good;
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const question = JSON.parse(body);
    questions.add(question.query);
    answer(response, request, question);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function send(deaths: readonly Death[] = [], signal = new AbortController().signal): Promise<SoakRecord[]> {
  const records: SoakRecord[] = [];
  await sendLoad({ ...LOAD, url, deaths, signal, onRecord: (record) => records.push(record) });
  return records;
}

it('every arrival is one record; no two questions are alike, some ask for a stream', async () => {
  const records = await send();
  expect(records.length).toBe(planned);
  expect(questions.size).toBe(planned);
  expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(['answered']));
  const streamed = records.filter((record) => record.streamed).length;
  expect(streamed).toBeGreaterThan(0.2 * planned);
  expect(streamed).toBeLessThan(0.6 * planned);
});

it('what breaks as a proxy is killed is asked again, and counts as what it comes to in the end', async () => {
  let broken = 0;
  const deaths: Death[] = [];
  answer = (response, request, question) => {
    if (broken++ >= 5) return good(response, request, question);
    deaths.push({ at: performance.now(), overAt: Number.POSITIVE_INFINITY });
    request.socket.destroy();
  };
  const records = await send(deaths);
  expect(records.length).toBe(planned);
  expect(records.filter(({ outcome }) => outcome !== 'answered')).toEqual([]);
  expect(records.reduce((sum, { askedAgain }) => sum + askedAgain, 0)).toBe(5);
});

it('what breaks while no proxy is killed has failed', async () => {
  let broken = 0;
  answer = (response, request, question) => {
    if (broken++ >= 5) return good(response, request, question);
    request.socket.destroy();
  };
  const records = await send();
  expect(records.filter(({ outcome }) => outcome === 'failed').length).toBe(5);
});

it('at an early end no more is asked', async () => {
  const ended = new AbortController();
  answer = (response, request, question) => {
    ended.abort();
    good(response, request, question);
  };
  const records = await send([], ended.signal);
  expect(records.length).toBeLessThan(planned);
});
