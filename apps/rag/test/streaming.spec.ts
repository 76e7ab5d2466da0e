/** POST /rag as server-sent events: framing, order, errors, and readers that are slow or go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

const QUESTION = 'Which animals can hover in the air?';
let pod: PodFixture;

beforeEach(async () => {
  pod = await startPod();
});
afterEach(async () => {
  pod.engine.beforePiece = async () => {};
  await pod[Symbol.asyncDispose]();
});

/** Holds each answer back before the piece of this number; `go` lets it on. */
function holdAt(place: number): { readonly go: () => void } {
  const gate = Promise.withResolvers<void>();
  pod.engine.beforePiece = async (index) => {
    if (index === place) await gate.promise;
  };
  return { go: gate.resolve };
}

const countOf = async (status: number): Promise<number> =>
  Number(
    new RegExp(
      `^ragscale_request_duration_seconds_count{variant="baseline",route="/rag",status="${status}"} (\\d+)$`,
      'm',
    ).exec(await pod.metrics())?.[1] ?? 0,
  );

async function lineOf(requestId: string): Promise<Record<string, unknown>> {
  const find = () => pod.log.find((line) => line.requestId === requestId && line.msg === 'request');
  await until(() => find() !== undefined);
  return find() ?? {};
}

describe('a stream', () => {
  it('is sources, tokens, done, in events of the standard, with the text that the whole answer has', async () => {
    const whole = (await (await pod.post({ query: QUESTION })).json()) as { result: string; sources: unknown };
    using client = new RawClient(pod.port);
    client.post('/rag', { query: QUESTION, stream: true }, { 'x-request-id': 'stream-1' });
    await client.untilEnd();
    expect(client.head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(client.head).toContain('\r\ncontent-type: text/event-stream; charset=utf-8\r\n');
    expect(client.head).toContain('\r\ncache-control: no-store\r\n');
    expect(client.head).toContain('\r\nx-accel-buffering: no\r\n');
    expect(client.head).toContain('\r\nx-request-id: stream-1\r\n');
    expect(client.head).toMatch(/\r\nserver-timing: queue;dur=[\d.]+, embed;dur=[\d.]+, retrieve;dur=[\d.]+\r\n/);
    expect(client.head).toMatch(/\r\ntransfer-encoding: chunked/i);
    expect(client.head).not.toMatch(/content-length/i);
    const events = client.events.map(({ name, data }) => ({ name, data: JSON.parse(data) }));
    expect(events[0]).toEqual({ name: 'sources', data: { query: QUESTION, sources: whole.sources } });
    const tokens = events.slice(1, -1);
    expect(new Set(tokens.map(({ name }) => name))).toEqual(new Set(['token']));
    expect(tokens.length).toBeGreaterThan(3);
    expect(tokens.map(({ data }) => data.text).join('')).toBe(whole.result);
    const ms = expect.any(Number);
    expect(events.at(-1)).toEqual({
      name: 'done',
      data: {
        finish_reason: 'stop',
        usage: {
          prompt_tokens: 10,
          completion_tokens: 3,
          total_tokens: 13,
          prompt_tokens_details: { cached_tokens: 0 },
        },
        timings: { queue: ms, embed: ms, retrieve: ms, prefill: 2, decode: 4, total: ms },
      },
    });
    expect(await lineOf('stream-1')).toMatchObject({ status: 200, streamed: true, generatedTokens: 3 });
    expect(await pod.metrics()).toContain('ragscale_tokens_total{variant="baseline",kind="generated"} 6');
  });

  it('leaves the connection for the next request', async () => {
    using client = new RawClient(pod.port);
    for (let round = 0; round < 3; round += 1) {
      client.forget();
      client.post('/rag', { query: QUESTION, stream: true });
      await client.untilEnd();
      expect(client.events.at(-1)?.name).toBe('done');
    }
    client.forget();
    client.get('/livez');
    await client.until(/"ok"/);
  });

  it('leaves as it is made: the sources before the first token, a token before the next', async () => {
    pod.engine.pieces = ['one', ' two'];
    const first = holdAt(0);
    using client = new RawClient(pod.port);
    client.post('/rag', { query: QUESTION, stream: true });
    await until(() => client.events.length === 1);
    expect(client.events[0]?.name).toBe('sources');
    const second = holdAt(1);
    first.go();
    await until(() => client.events.length === 2);
    expect(client.events[1]).toEqual({ name: 'token', data: '{"text":"one"}' });
    second.go();
    await client.untilEnd();
    expect(client.events.map(({ name }) => name)).toEqual(['sources', 'token', 'token', 'done']);
  });

  it('holds any text, with the white space at its ends left out as of the whole answer', async () => {
    pod.engine.pieces = [' ', '\n', 'a\n\n', 'data: b\r\n', '\u{1f426}', ' "\\\u2028.', ' ', '\n'];
    using client = new RawClient(pod.port);
    client.post('/rag', { query: QUESTION, stream: true });
    await client.untilEnd();
    const texts = client.events.filter(({ name }) => name === 'token').map(({ data }) => JSON.parse(data).text);
    const whole = (await (await pod.post({ query: QUESTION })).json()) as { result: string };
    expect(texts.join('')).toBe(whole.result);
    expect(whole.result).toBe('a\n\ndata: b\r\n\u{1f426} "\\\u2028.');
  });

  it.each([
    [undefined, { accept: 'text/event-stream' }, 'text/event-stream'],
    [undefined, { accept: 'application/json, text/event-stream' }, 'text/event-stream'],
    [undefined, { accept: 'application/json, text/event-stream;q=0.5' }, 'application/json'],
    [undefined, { accept: '*/*' }, 'application/json'],
    [false, { accept: 'text/event-stream' }, 'application/json'],
    [true, { accept: 'application/json' }, 'text/event-stream'],
  ])('is what `stream: %s` with %j asks for: %s', async (stream, headers, type) => {
    const response = await pod.post({ query: QUESTION, stream }, headers);
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    await response.text();
  });

  it('passes ignore_eos on', async () => {
    await (await pod.post({ query: QUESTION, stream: true, ignore_eos: true })).text();
    expect(pod.engine.generations.at(-1)?.settings).toMatchObject({ ignoreEos: true });
    expect((await pod.post({ query: QUESTION, ignore_eos: 'yes' })).status).toBe(400);
  });
});

describe('an error', () => {
  it('before the sources is an ordinary one', async () => {
    const statusOf = async (body: object, headers = {}) => {
      const response = await pod.post({ query: QUESTION, stream: true, ...body }, headers);
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      return [response.status, ((await response.json()) as { error: { code: string } }).error.code];
    };
    expect(await statusOf({ k: 0 })).toEqual([400, 'invalid_request']);
    expect(await statusOf({ query: 'word '.repeat(300) })).toEqual([400, 'context_length_exceeded']);
    pod.engine.beforeAnswer = async () => {
      throw new ServiceError('queue_full', { detail: 'full' });
    };
    expect(await statusOf({})).toEqual([429, 'queue_full']);
    pod.engine.beforeAnswer = () => new Promise(() => {});
    expect(await statusOf({}, { 'x-request-timeout-ms': '30' })).toEqual([504, 'deadline_exceeded']);
  });

  it('after the sources is the last event, and counts under its own status', async () => {
    pod.engine.pieces = ['one', ' two'];
    pod.engine.beforePiece = async (index) => {
      if (index === 1) throw new Error('a detail');
    };
    using client = new RawClient(pod.port);
    client.post('/rag', { query: QUESTION, stream: true }, { 'x-request-id': 'broken-1' });
    await client.untilEnd();
    expect(client.events.map(({ name }) => name)).toEqual(['sources', 'token', 'error']);
    expect(JSON.parse(client.events.at(-1)?.data ?? '')).toEqual({
      error: expect.objectContaining({ code: 'internal', type: 'server_error', param: null }),
    });
    expect(client.received).not.toContain('detail');
    expect(await lineOf('broken-1')).toMatchObject({ status: 500, errorCode: 'internal' });
    expect([await countOf(500), await countOf(200)]).toEqual([1, 0]);
    client.forget();
    client.get('/livez');
    await client.until(/"ok"/);
  });

  it('may be the deadline', async () => {
    holdAt(2);
    using client = new RawClient(pod.port);
    client.post('/rag', { query: QUESTION, stream: true }, { 'x-request-timeout-ms': '100' });
    await client.untilEnd();
    expect(client.events.map(({ name }) => name)).toEqual(['sources', 'token', 'error']);
    expect(client.events.at(-1)?.data).toContain('"code":"deadline_exceeded"');
    expect(pod.engine.cancelled).toBe(1);
    await until(async () => (await countOf(504)) === 1);
    expect(await pod.metrics()).toContain('ragscale_rejected_total{variant="baseline",reason="deadline_exceeded"} 1');
  });

  it('may be the end of the pod', async () => {
    const ending = await startPod({ env: { SHUTDOWN_TIMEOUT_MS: '50' } });
    const { promise } = Promise.withResolvers<void>();
    ending.engine.beforePiece = () => promise;
    using client = new RawClient(ending.port);
    client.post('/rag', { query: QUESTION, stream: true });
    await client.until(/event: sources/);
    expect(await ending.pod.shutDown()).toBe(1);
    await client.untilEnd();
    expect(client.events.at(-1)?.data).toContain('"code":"draining"');
  });
});

describe('a reader', () => {
  /** 32 MB: more than the buffers of both sockets and of Node take. */
  const PIECES = Array.from({ length: 500 }, (_, index) => `${index} `.padEnd(65_536, 'x'));

  it('that is slow gets all of it, in fewer events, and the engine does not wait for it', async () => {
    pod.engine.pieces = PIECES;
    using client = new RawClient(pod.port);
    client.socket.pause();
    client.post('/rag', { query: QUESTION, stream: true }, { 'x-request-id': 'slow-1' });
    // The next in line is answered while the first answer is still on its way.
    await until(() => pod.engine.generations.length === 2);
    pod.engine.pieces = ['short'];
    expect((await pod.post({ query: QUESTION })).status).toBe(200);
    expect(pod.log.some((line) => line.requestId === 'slow-1' && line.msg === 'request')).toBe(false);
    client.socket.resume();
    await client.untilEnd();
    const tokens = client.events.filter(({ name }) => name === 'token').map(({ data }) => JSON.parse(data).text);
    expect(tokens.join('') === PIECES.join('')).toBe(true);
    expect(tokens.length).toBeLessThan(PIECES.length);
    expect(client.events.at(-1)?.name).toBe('done');
    expect(await lineOf('slow-1')).toMatchObject({ status: 200 });
  });

  it('that stops reading is cut off by the deadline', async () => {
    pod.engine.pieces = PIECES;
    using client = new RawClient(pod.port);
    client.socket.pause();
    client.post(
      '/rag',
      { query: QUESTION, stream: true },
      { 'x-request-timeout-ms': '700', 'x-request-id': 'stuck-1' },
    );
    expect(await lineOf('stuck-1')).toMatchObject({ status: 504, errorCode: 'deadline_exceeded' });
    expect(await countOf(504)).toBe(1);
    client.socket.resume();
    await until(() => client.closed);
    expect(client.received).not.toContain('event: done');
  });

  it('that stops reading while the answer is made frees the engine at the deadline', async () => {
    pod.engine.pieces = PIECES;
    holdAt(PIECES.length - 1);
    using client = new RawClient(pod.port);
    client.socket.pause();
    client.post(
      '/rag',
      { query: QUESTION, stream: true },
      { 'x-request-timeout-ms': '700', 'x-request-id': 'stuck-2' },
    );
    expect(await lineOf('stuck-2')).toMatchObject({ status: 504 });
    expect(pod.engine.cancelled).toBe(1);
    client.socket.resume();
    await until(() => client.closed);
  });

  it('that is slow is waited for by a pod that ends', async () => {
    const ending = await startPod();
    ending.engine.pieces = PIECES;
    using client = new RawClient(ending.port);
    client.socket.pause();
    client.post('/rag', { query: QUESTION, stream: true });
    await until(() => ending.engine.answered === 2);
    const ended = ending.pod.shutDown();
    await sleep(500);
    client.socket.resume();
    await client.untilEnd();
    expect(client.events.at(-1)?.name).toBe('done');
    expect(await ended).toBe(0);
  });

  it('that goes in the middle frees the engine at once, and counts as 499', async () => {
    holdAt(2);
    const client = new RawClient(pod.port);
    client.post('/rag', { query: QUESTION, stream: true }, { 'x-request-id': 'gone-1' });
    await client.until(/event: token/);
    client.socket.destroy();
    expect(await lineOf('gone-1')).toMatchObject({ status: 499 });
    await until(() => pod.engine.cancelled === 1);
    pod.engine.beforePiece = async () => {};
    expect((await pod.post({ query: QUESTION })).status).toBe(200);
    expect(await countOf(499)).toBe(1);
    expect(pod.log.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('of a pod that leaves is told to come back on another connection', async () => {
    const leaving = await startPod();
    const held = Promise.withResolvers<void>();
    leaving.engine.beforeAnswer = () => held.promise;
    using client = new RawClient(leaving.port);
    client.post('/rag', { query: QUESTION, stream: true });
    await until(() => leaving.engine.generations.length === 2);
    const ended = leaving.pod.shutDown();
    held.resolve();
    await client.untilEnd();
    expect(client.head).toMatch(/\r\nconnection: close\r\n/i);
    expect(client.events.at(-1)?.name).toBe('done');
    expect(await ended).toBe(0);
  });
});
