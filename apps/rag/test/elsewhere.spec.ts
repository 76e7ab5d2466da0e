/** A pod whose answers a server elsewhere writes: what it asks of it, and what it makes of what comes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, beginStream, chatEvents, OpenAiServer, refusing } from './openai-server.ts';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'ragscale-elsewhere-'));
afterAll(() => rmSync(folder, { recursive: true }));

let server: OpenAiServer;
beforeEach(async () => {
  server = await OpenAiServer.start();
});
afterEach(() => server[Symbol.asyncDispose]());

async function podWith(env: Record<string, string> = {}): Promise<PodFixture> {
  const pod = await startPod({
    env: { VARIANT: 'batched', SLOTS: '2', RAG_GENERATOR: `openai:${server.url}`, ...env },
  });
  // The question that it asks to warm up.
  server.asked.length = 0;
  server.mostOpen = 0;
  return pod;
}

async function readEvents(response: Response): Promise<{ name: string; data: unknown }[]> {
  const blocks = (await response.text()).trimEnd().split('\n\n');
  return blocks.map((block) => {
    const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
    return { name, data: JSON.parse(data) };
  });
}

const QUERY = { query: 'Which bird hovers?' };

async function errorOf(response: Response): Promise<{ status: number; code: string; retryAfter: string | null }> {
  const { error } = (await response.json()) as { error: { code: string } };
  return { status: response.status, code: error.code, retryAfter: response.headers.get('retry-after') };
}

describe.each(['baseline', 'batched'])('the %s variant', (VARIANT) => {
  const env = { VARIANT, ...(VARIANT === 'baseline' ? { SLOTS: '' } : {}) };

  it('answers with what the server wrote, from the passages that it found itself', async () => {
    await using pod = await podWith(env);
    const response = await pod.post({ ...QUERY, max_tokens: 9 });
    const answer = (await response.json()) as { result: string; sources: { text: string }[] };
    expect(response.status).toBe(200);
    expect(answer.result).toBe('A kestrel hovers.');
    const [{ path: asked, body }] = server.asked as [(typeof server.asked)[0]];
    expect(asked).toBe('/v1/chat/completions');
    expect(body).toMatchObject({ model: 'their-model', max_tokens: 9, temperature: 0, stream: true });
    for (const { text } of answer.sources) expect(body.messages?.at(-1)?.content).toContain(text);
    expect(body.messages?.at(-1)?.content).toContain(QUERY.query);
    expect(response.headers.get('server-timing')).toMatch(/prefill;dur=.*decode;dur=/);
  });

  it('asks for no more at once than it has slots', async () => {
    await using pod = await podWith(env);
    const slots = VARIANT === 'baseline' ? 1 : 2;
    const held: (() => void)[] = [];
    server.respond = async (response, asked) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await answering('x')(response, asked);
    };
    const answers = Array.from({ length: 6 }, () => pod.post(QUERY));
    await until(() => held.length === slots);
    for (let done = 0; done < 6; done += 1) {
      await until(() => held.length > 0);
      held.shift()?.();
    }
    for (const answer of answers) expect((await answer).status).toBe(200);
    expect(server.mostOpen).toBe(slots);
  });
});

describe('a stream', () => {
  it('passes the pieces on, and the counts of the server', async () => {
    await using pod = await podWith();
    const events = await readEvents(await pod.post({ ...QUERY, stream: true }));
    const tokens = events.filter(({ name }) => name === 'token').map(({ data }) => (data as { text: string }).text);
    expect(tokens.join('')).toBe('A kestrel hovers.');
    expect(events.at(-1)).toMatchObject({
      name: 'done',
      data: { usage: { prompt_tokens: 21, completion_tokens: 5, total_tokens: 26 } },
    });
    const metrics = await pod.metrics();
    for (const stage of ['prefill', 'decode'])
      expect(metrics).toMatch(new RegExp(`ragscale_stage_duration_seconds_count\\{[^}]*stage="${stage}"[^}]*\\} 1\n`));
    for (const [kind, tokens] of [
      ['prompt', 21],
      ['prompt_cached', 8],
      ['generated', 5],
    ])
      expect(metrics).toContain(`ragscale_tokens_total{variant="batched",kind="${kind}"} ${tokens}\n`);
  });

  it('is the same wherever its bytes are cut', async () => {
    await using pod = await podWith();
    const bytes = Buffer.from(chatEvents(['A ü', '😀 b']).join(''));
    // Between two bytes at a time, over all places.
    for (let cut = 1; cut < bytes.length; cut += 7) {
      server.next.push((response) => {
        beginStream(response).write(bytes.subarray(0, cut));
        setImmediate(() => response.end(bytes.subarray(cut)));
      });
      expect(await (await pod.post(QUERY)).json()).toMatchObject({ result: 'A ü😀 b' });
    }
  });

  it('gives the first piece before the answer is whole', async () => {
    await using pod = await podWith();
    const { promise: rest, resolve: finish } = Promise.withResolvers<void>();
    server.respond = async (response) => {
      const events = chatEvents(['first', ' last']);
      beginStream(response).write(events.slice(0, 2).join(''));
      await rest;
      response.end(events.slice(2).join(''));
    };
    const reader = (await pod.post({ ...QUERY, stream: true })).body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('first')) seen += (await reader?.read())?.value ?? '';
    expect(seen).not.toContain('last');
    finish();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) seen += part.value;
    expect(seen).toContain('last');
    expect(seen).toContain('event: done');
  });

  it('that breaks off after its first token ends with an error, and is not asked for again', async () => {
    await using pod = await podWith();
    server.respond = (response) => {
      beginStream(response).write(chatEvents(['half']).slice(0, 2).join(''));
      setTimeout(() => response.destroy(), 20);
    };
    const events = await readEvents(await pod.post({ ...QUERY, stream: true }));
    expect(events.map(({ name }) => name)).toEqual(['sources', 'token', 'error']);
    expect(events.at(-1)?.data).toMatchObject({ error: { code: 'generator_failed' } });
    expect(server.asked).toHaveLength(1);
    expect(await pod.metrics()).toContain('ragscale_rejected_total{variant="batched",reason="generator_failed"} 1');
  });

  it('that ends without a reason has broken off', async () => {
    await using pod = await podWith();
    server.respond = (response) => void beginStream(response).end(chatEvents(['half']).slice(0, 2).join(''));
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 502, code: 'generator_failed' });
    expect(server.asked).toHaveLength(1);
  });

  it('that says in an event that it fails has failed', async () => {
    await using pod = await podWith();
    server.respond = (response) => void beginStream(response).end('data: {"error": {"message": "out of memory"}}\n\n');
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 503, code: 'generator_unavailable' });
  });
});

describe('a server that', () => {
  it('is busy is asked again until it has room', async () => {
    await using pod = await podWith();
    server.next.push(refusing(429), refusing(503));
    expect(await (await pod.post(QUERY)).json()).toMatchObject({ result: 'A kestrel hovers.' });
    expect(server.asked).toHaveLength(3);
  });

  it('breaks off before the first token is asked again', async () => {
    await using pod = await podWith();
    server.next.push((response) => void response.destroy());
    server.next.push((response) => {
      beginStream(response).write(chatEvents([])[0]);
      setTimeout(() => response.destroy(), 20);
    });
    expect((await pod.post(QUERY)).status).toBe(200);
    expect(server.asked).toHaveLength(3);
  });

  it('stays busy is told of as 429, with its Retry-After', async () => {
    await using pod = await podWith();
    server.respond = refusing(429, { error: { message: 'later' } }, { 'retry-after': '7' });
    expect(await errorOf(await pod.post(QUERY))).toEqual({ status: 429, code: 'queue_full', retryAfter: '7' });
    // Longer than a slot is held for: nobody has waited.
    expect(server.asked).toHaveLength(1);
  });

  it('fails is told of as 503, after three attempts', async () => {
    await using pod = await podWith();
    server.respond = refusing(500, { error: { message: 'secret detail' } });
    const response = await pod.post(QUERY);
    expect(await response.clone().text()).not.toContain('secret');
    expect(await errorOf(response)).toEqual({ status: 503, code: 'generator_unavailable', retryAfter: '2' });
    expect(server.asked).toHaveLength(3);
    expect(pod.log.filter(({ msg }) => msg === 'the generator elsewhere failed')).toEqual([
      expect.objectContaining({ kind: 'failing', reason: expect.stringContaining('secret detail') }),
    ]);
    expect((await fetch(`${pod.url}/readyz`)).status).toBe(200);
  });

  it('refuses what was asked is not asked again', async () => {
    await using pod = await podWith();
    server.respond = refusing(400, { error: { message: 'temperature must be positive' } });
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 502, code: 'generator_failed' });
    expect(server.asked).toHaveLength(1);
  });

  it('is silent is given up, before the first token and between two', async () => {
    await using pod = await podWith({ RAG_GENERATOR_FIRST_TOKEN_MS: '100', RAG_GENERATOR_NEXT_TOKEN_MS: '60' });
    // Heads and roles are no tokens.
    server.respond = (response) => void beginStream(response).write(chatEvents([])[0]);
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 503, code: 'generator_unavailable' });
    expect(pod.log.at(-2)).toMatchObject({ kind: 'silent', reason: 'nothing came within 100 ms' });
    server.respond = (response) => void beginStream(response).write(chatEvents(['a']).slice(0, 2).join(''));
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 503, code: 'generator_unavailable' });
    expect(pod.log.at(-2)).toMatchObject({ kind: 'silent', reason: 'nothing came within 60 ms' });
    await until(() => server.abandoned === 2);
  });

  it.each([
    ['what is no event stream', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['events that are not JSON', (response) => void beginStream(response).end('data: {"choices": [\n\n')],
    ['events of another shape', (response) => void beginStream(response).end('data: {"choices": "none"}\n\n')],
    ['bytes that are no text', (response) => void beginStream(response).end(Buffer.from([0x64, 0xff, 0xfe]))],
    ['a line without an end', (response) => void beginStream(response).end(`data: ${'x'.repeat(3 << 20)}`)],
  ] satisfies [string, (typeof server)['respond']][])('sends %s has failed', async (_, respond) => {
    await using pod = await podWith();
    server.respond = respond;
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 502, code: 'generator_failed' });
    expect(server.asked).toHaveLength(1);
  });

  it('says that the prompt is too long gets fewer passages, the last ones left out', async () => {
    await using pod = await podWith();
    const whole = (asked: { body: { messages?: readonly { content: string }[] } }) =>
      (asked.body.messages?.at(-1)?.content.match(/^- /gm) ?? []).length;
    server.respond = (response, asked) =>
      whole(asked) > 1
        ? refusing(400, { error: { code: 'context_length_exceeded', message: 'too long' } })(response, asked)
        : answering('ok')(response, asked);
    const answer = (await (await pod.post({ ...QUERY, k: 3 })).json()) as { sources: { text: string }[] };
    expect(answer.sources).toHaveLength(1);
    expect(server.asked.at(-1)?.body.messages?.at(-1)?.content).toContain(answer.sources[0]?.text);
    expect(server.asked.map(whole)).toEqual([3, 1]);
    server.respond = refusing(400, { error: { message: "This model's maximum context length is 16 tokens." } });
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 400, code: 'context_length_exceeded' });
  });
});

describe('a client that goes', () => {
  it('takes its request with it', async () => {
    await using pod = await podWith();
    server.respond = (response) => void beginStream(response).write(chatEvents(['a']).slice(0, 2).join(''));
    const leaving = new AbortController();
    const answer = pod.post({ ...QUERY, stream: true }, {}, leaving.signal);
    answer.then((response) => response.text()).catch(() => undefined);
    await until(() => server.open === 1);
    leaving.abort();
    await until(() => server.abandoned === 1);
    expect(server.open).toBe(0);
  });

  it('because of its deadline does too', async () => {
    await using pod = await podWith();
    server.respond = () => undefined;
    const response = await pod.post(QUERY, { 'x-request-timeout-ms': '150' });
    expect(await errorOf(response)).toMatchObject({ status: 504, code: 'deadline_exceeded' });
    await until(() => server.abandoned === 1);
  });
});

describe('a pod that starts', () => {
  const env = () => ({ VARIANT: 'batched', RAG_GENERATOR: `openai:${server.url}` });

  it('is ready when the server answers, and stays so when it is gone', async () => {
    server.models = refusing(503);
    await using pod = await startPod({ env: env(), unstarted: true });
    const started = pod.pod.start();
    await until(() => pod.log.some(({ msg }) => msg === 'waiting for the generator elsewhere'));
    expect((await fetch(`${pod.url}/readyz`)).status).toBe(503);
    server.models = refusing(200, { data: [{ id: 'their-model' }] });
    await started;
    const models = (await (await fetch(`${pod.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(models.data.map(({ id }) => id)).toContain('their-model');
    await server[Symbol.asyncDispose]();
    expect(await errorOf(await pod.post(QUERY))).toMatchObject({ status: 503, code: 'generator_unavailable' });
    expect((await fetch(`${pod.url}/readyz`)).status).toBe(200);
    server = await OpenAiServer.start();
  });

  it('can be told to end while it waits', async () => {
    server.models = refusing(503);
    await using pod = await startPod({ env: env(), unstarted: true });
    const started = pod.pod.start();
    started.catch(() => undefined);
    await until(() => pod.log.some(({ msg }) => msg === 'waiting for the generator elsewhere'));
    await pod.pod.shutDown();
    await expect(started).rejects.toThrow('told to end');
  });

  it('wants to know which of several models, and takes no other', async () => {
    server.models = refusing(200, { data: [{ id: 'a' }, { id: 'b' }] });
    await expect(startPod({ env: env() })).rejects.toThrow('RAG_GENERATOR_MODEL must be one of a, b');
    await expect(startPod({ env: { ...env(), RAG_GENERATOR_MODEL: 'c' } })).rejects.toThrow('has no model c');
    await using pod = await startPod({ env: { ...env(), RAG_GENERATOR: `openai:${server.url}#b` } });
    await pod.post(QUERY);
    expect(server.asked.at(-1)?.body.model).toBe('b');
  });

  it('sends the key of a file, and writes it nowhere', async () => {
    const file = path.join(folder, 'key');
    writeFileSync(file, 'sk-secret\n');
    await using pod = await podWith({ RAG_GENERATOR_API_KEY_FILE: file });
    server.respond = refusing(401, { error: { message: 'wrong key' } });
    const response = await pod.post(QUERY);
    expect(server.asked.at(-1)?.authorization).toBe('Bearer sk-secret');
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain('sk-secret');
    expect(JSON.stringify(pod.log)).not.toContain('sk-secret');
    await using other = await podWith({ RAG_GENERATOR_API_KEY: 'sk-variable' });
    await other.post(QUERY);
    expect(server.asked.at(-1)?.authorization).toBe('Bearer sk-variable');
    const crooked = podWith({ RAG_GENERATOR_API_KEY: 'sk secret' });
    await expect(crooked).rejects.toThrow(/^RAG_GENERATOR_API_KEY: there must be one key, of printable/);
    server.models = refusing(401);
    await expect(startPod({ env: env() })).rejects.toThrow('RAG_GENERATOR_API_KEY_FILE');
  });

  it('uses the endpoint that its address names, with a prompt of one text', async () => {
    server.respond = (response) =>
      void beginStream(response).end(
        'data: {"choices": [{"text": " yes", "finish_reason": null}]}\n\ndata: {"choices": [{"text": "", "finish_reason": "length"}]}\n\n',
      );
    await using pod = await podWith({ RAG_GENERATOR: `openai:${server.url}/completions` });
    expect(await (await pod.post(QUERY)).json()).toMatchObject({ result: 'yes' });
    expect(server.asked[0]).toMatchObject({ path: '/v1/completions' });
    expect(server.asked[0]?.body.prompt).toMatch(/^Question: Which bird hovers\?\nContext:\n.+\nAnswer:$/s);
  });
});

it('another pod is such a server', async () => {
  await using upstream = await startPod({ env: { VARIANT: 'batched' } });
  await using pod = await startPod({
    env: { VARIANT: 'batched', RAG_GENERATOR: `openai:${upstream.url}/v1#ragscale` },
  });
  upstream.engine.pieces = [' from', ' the', ' other'];
  expect(await (await pod.post(QUERY)).json()).toMatchObject({ result: 'from the other' });
  const { prompt } = upstream.engine.generations.at(-1) as { prompt: { question: string } };
  expect(prompt.question).toContain(QUERY.query);
  expect(pod.engine.generations).toEqual([]);
});
