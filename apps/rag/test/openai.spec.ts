/** OpenAI's own client against /v1: classes of errors, aborts, embeddings, models, bodies. */
import { ServiceError } from '@ragscale/service/error-catalogue';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from './collect.ts';
import { ANSWER, endOpenAiPod, MESSAGES, type OpenAiFixture, startOpenAiPod } from './openai-fixture.ts';
import { type PodFixture, startPod, until } from './pod-fixture.ts';

let pod: PodFixture;
let client: OpenAI;
let chat: OpenAiFixture['chat'];
let post: OpenAiFixture['post'];

beforeEach(async () => {
  ({ pod, client, chat, post } = await startOpenAiPod());
});
afterEach(() => endOpenAiPod(pod));

describe('errors become the classes of the client', () => {
  const thrownBy = (asked: PromiseLike<unknown>): Promise<unknown> => Promise.resolve(asked).catch((error) => error);

  it('as they are refused', async () => {
    const unknown = await thrownBy(chat({ model: 'gpt-4' }));
    expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(unknown).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect(await thrownBy(chat({ model: 'fake-embedder' }))).toBeInstanceOf(OpenAI.NotFoundError);
    const long = await thrownBy(chat({ messages: [{ role: 'user', content: 'word '.repeat(300) }] }));
    expect(long).toBeInstanceOf(OpenAI.BadRequestError);
    expect(long).toMatchObject({ code: 'context_length_exceeded', param: 'messages' });
    expect(await thrownBy(chat({ max_tokens: 4096 }))).toMatchObject({ code: 'context_length_exceeded' });
    pod.engine.beforeAnswer = async () => {
      throw new ServiceError('queue_full', { detail: 'full' }, { retryAfterSeconds: 3 });
    };
    const full = await thrownBy(chat({}));
    expect(full).toBeInstanceOf(OpenAI.RateLimitError);
    expect((full as InstanceType<typeof OpenAI.RateLimitError>).headers.get('retry-after')).toBe('3');
    pod.engine.beforeAnswer = async () => {
      throw new Error('a detail');
    };
    const fault = await thrownBy(chat({}));
    expect(fault).toBeInstanceOf(OpenAI.InternalServerError);
    expect(String(fault)).not.toContain('detail');
  });

  it('in the middle of a stream', async () => {
    pod.engine.beforePiece = async (index) => {
      if (index === 3) throw new Error('a detail');
    };
    const seen: string[] = [];
    const error = await thrownBy(
      (async () => {
        for await (const chunk of await client.chat.completions.create({
          model: 'ragscale',
          messages: MESSAGES,
          stream: true,
        }))
          seen.push(chunk.choices[0]?.delta.content ?? '');
      })(),
    );
    expect(seen.join('')).toBe('Hummingbirds can');
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ code: 'internal', type: 'server_error' });
  });

  it('before the pod is ready', async () => {
    await using starting = await startPod({ unstarted: true });
    const early = new OpenAI({ baseURL: `${starting.url}/v1`, apiKey: 'none', maxRetries: 0 });
    for (const asked of [
      () => early.models.list(),
      () => early.models.retrieve('ragscale'),
      () => early.chat.completions.create({ model: 'ragscale', messages: MESSAGES }),
      () => early.embeddings.create({ model: 'ragscale-embedder', input: 'a' }),
    ])
      expect(await thrownBy(asked())).toMatchObject({ status: 503, code: 'not_ready' });
  });

  it('at the deadline', async () => {
    pod.engine.beforeAnswer = () => new Promise(() => {});
    const late = await thrownBy(
      client.chat.completions.create(
        { model: 'ragscale', messages: MESSAGES },
        { headers: { 'x-request-timeout-ms': '30' } },
      ),
    );
    expect(late).toBeInstanceOf(OpenAI.InternalServerError);
    expect(late).toMatchObject({ status: 504, code: 'deadline_exceeded', type: 'timeout_error' });
  });
});

describe('a client that aborts', () => {
  it('in the middle of a stream frees the engine', async () => {
    const stream = await client.chat.completions.create({ model: 'ragscale', messages: MESSAGES, stream: true });
    pod.engine.beforePiece = () => new Promise(() => {});
    const held = await client.chat.completions.create({ model: 'ragscale', messages: MESSAGES, stream: true });
    await collect(stream);
    for await (const chunk of held) {
      expect(chunk.choices[0]?.delta.role).toBe('assistant');
      break;
    }
    await until(() => pod.engine.cancelled === 1);
    pod.engine.beforePiece = async () => {};
    expect((await chat({})).choices[0]?.message.content).toBe(ANSWER);
    await until(async () => /route="\/v1\/chat\/completions",status="499"/.test(await pod.metrics()));
  });
});

describe('embeddings', () => {
  it('are the same in both encodings, in order', async () => {
    const input = ['Hummingbirds can hover.', 'Dogs are mammals.'];
    const floats = await client.embeddings.create({ model: 'ragscale-embedder', input, encoding_format: 'float' });
    expect(floats).toMatchObject({
      object: 'list',
      model: 'fake-embedder',
      data: [
        { object: 'embedding', index: 0 },
        { object: 'embedding', index: 1 },
      ],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
    expect(floats.data[0]?.embedding).toHaveLength(64);
    // The client asks for base64 unless told otherwise, and decodes it.
    const decoded = await client.embeddings.create({ model: 'fake-embedder', input });
    expect(decoded.data.map(({ embedding }) => [...embedding])).toEqual(floats.data.map(({ embedding }) => embedding));
    const response = await post('/v1/embeddings', { model: 'ragscale-embedder', input, encoding_format: 'base64' });
    const { data } = (await response.json()) as { data: { embedding: string }[] };
    const bytes = Buffer.from(data[1]?.embedding ?? '', 'base64');
    expect(bytes).toHaveLength(64 * 4);
    expect(bytes.readFloatLE(4)).toBe(floats.data[1]?.embedding[1]);
    expect(response.headers.get('server-timing')).toMatch(/^queue;dur=0, embed;dur=0, total;dur=[\d.]+$/);
  });

  it('are of passages, or of queries where asked', async () => {
    await post('/v1/embeddings', { model: 'ragscale-embedder', input: 'a' });
    await post('/v1/embeddings', { model: 'ragscale-embedder', input: 'a', input_type: 'query', dimensions: 64 });
    expect(pod.engine.embeddedAs.slice(-2)).toEqual(['passage', 'query']);
  });

  it.each([
    [{ input: [1, 2, 3] }, 'unsupported', 'input', 'input as tokens is not supported by this server'],
    [{ input: [[1, 2], [3]] }, 'unsupported', 'input', 'input as tokens is not supported by this server'],
    [
      { dimensions: 32 },
      'unsupported',
      'dimensions',
      'dimensions: 32 (the model has 64) is not supported by this server',
    ],
    [{ input: undefined }, 'invalid_request', 'input', 'input: is required'],
    [{ input: '' }, 'invalid_request', 'input', 'input: must be a string of 1 to 8192 characters'],
    [{ input: ['a', ''] }, 'invalid_request', 'input.1', 'input.1: must be a string of 1 to 8192 characters'],
    [
      { input: [] },
      'invalid_request',
      'input',
      'input: must be a string of 1 to 8192 characters, or an array of 1 to 256 of them',
    ],
    [
      { input: Array(257).fill('a') },
      'invalid_request',
      'input',
      'input: must be a string of 1 to 8192 characters, or an array of 1 to 256 of them',
    ],
    [
      { input: 5 },
      'invalid_request',
      'input',
      'input: must be a string of 1 to 8192 characters, or an array of 1 to 256 of them',
    ],
    [{ encoding_format: 'hex' }, 'invalid_request', 'encoding_format', 'encoding_format: must be float or base64'],
    [{ input_type: 'document' }, 'invalid_request', 'input_type', 'input_type: must be query or passage'],
  ])('refuse by name: %j', async (body, code, param, message) => {
    const response = await post('/v1/embeddings', { model: 'ragscale-embedder', input: 'a', ...body });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: { message, type: 'invalid_request_error', code, param } });
  });

  it('of texts that are too long are refused with the limit', async () => {
    const error = await client.embeddings
      .create({ model: 'ragscale-embedder', input: ['a', 'word '.repeat(300)] })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', param: 'input' });
    expect(String(error)).toContain('200');
  });
});

describe('models', () => {
  it('are listed under every name that requests may give', async () => {
    const models = await collect(client.models.list());
    expect(models.map(({ id }) => id)).toEqual(['ragscale', 'fake-generator', 'ragscale-embedder', 'fake-embedder']);
    for (const model of models)
      expect(model).toMatchObject({ object: 'model', created: expect.any(Number), owned_by: 'ragscale' });
  });

  it('are found by name, slashes encoded or not', async () => {
    Object.assign(pod.engine.generator, { name: 'facebook/opt-125m' });
    expect(await client.models.retrieve('facebook/opt-125m')).toMatchObject({ id: 'facebook/opt-125m' });
    for (const path of ['/v1/models/facebook/opt-125m', '/v1/models/facebook%2Fopt-125m']) {
      const response = await fetch(pod.url + path);
      expect([path, response.status]).toEqual([path, 200]);
    }
    await expect(client.models.retrieve('nothing/here')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const wrong = await post('/v1/models/ragscale', {});
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('bodies of /v1', () => {
  it('may be four times as long as those of /rag', async () => {
    const padded = (length: number) => {
      const body = { model: 'ragscale', messages: MESSAGES, metadata: '' };
      return JSON.stringify({ ...body, metadata: 'a'.repeat(length - JSON.stringify(body).length) });
    };
    expect((await post('/v1/chat/completions', padded(262_144))).status).toBe(200);
    const over = await post('/v1/chat/completions', padded(262_145));
    expect([over.status, await over.json()]).toMatchObject([
      413,
      { error: { code: 'payload_too_large', message: 'the body is larger than 262144 bytes' } },
    ]);
    expect(await (await post('/rag', padded(65_537))).json()).toMatchObject({
      error: { message: 'the body is larger than 65536 bytes' },
    });
  });

  it('are JSON', async () => {
    expect((await post('/v1/chat/completions', '{')).status).toBe(400);
    expect((await post('/v1/embeddings', 'a', { 'content-type': 'text/plain' })).status).toBe(415);
    expect(await (await post('/v1/chat/completions', '[]')).json()).toMatchObject({
      error: { code: 'invalid_request', message: expect.stringContaining('the body must be a JSON object') },
    });
  });
});
