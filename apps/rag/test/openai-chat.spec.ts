/** Chat completions, as OpenAI's own client asks for them: what comes back, what is refused. */
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawClient } from '../../../test/support/raw-client.ts';
import { collect } from './collect.ts';
import { ANSWER, endOpenAiPod, MESSAGES, type OpenAiFixture, startOpenAiPod } from './openai-fixture.ts';
import { type PodFixture, until } from './pod-fixture.ts';

let pod: PodFixture;
let client: OpenAI;
let chat: OpenAiFixture['chat'];
let post: OpenAiFixture['post'];

beforeEach(async () => {
  ({ pod, client, chat, post } = await startOpenAiPod());
});
afterEach(() => endOpenAiPod(pod));

const lastPrompt = () => pod.engine.generations.at(-1)?.prompt;

describe('a chat completion', () => {
  it('is the answer with the passages as citations', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { data, response } = await client.chat.completions
      .create({ model: 'ragscale', messages: MESSAGES }, { headers: { 'x-request-id': 'chat-1' } })
      .withResponse();
    expect(data).toMatchObject({
      id: 'chatcmpl-chat-1',
      object: 'chat.completion',
      model: 'fake-generator',
      choices: [{ index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13, prompt_tokens_details: { cached_tokens: 0 } },
      citations: [
        { id: 'hummingbirds#1', score: expect.any(Number), text: ANSWER },
        { id: expect.any(String), score: expect.any(Number), text: expect.any(String) },
      ],
    });
    expect(data.created).toBeGreaterThanOrEqual(before);
    expect(data.created).toBeLessThanOrEqual(Date.now() / 1000);
    expect(response.headers.get('x-request-id')).toBe('chat-1');
    expect(response.headers.get('server-timing')).toMatch(/^queue;dur=.*decode;dur=4, total;dur=/);
    await until(() => pod.log.some((line) => line.requestId === 'chat-1'));
    expect(pod.log.find((line) => line.requestId === 'chat-1')).toMatchObject({
      route: '/v1/chat/completions',
      status: 200,
      messages: 1,
      generatedTokens: 3,
    });
    expect(JSON.stringify(pod.log)).not.toContain('secret');
  });

  it('comes in chunks, the citations with the first', async () => {
    const stream = await client.chat.completions.create({ model: 'fake-generator', messages: MESSAGES, stream: true });
    const chunks = await collect(stream);
    expect(new Set(chunks.map(({ id, object, model }) => `${id} ${object} ${model}`)).size).toBe(1);
    expect(chunks[0]).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      citations: [{ id: 'hummingbirds#1' }, {}],
    });
    expect(chunks.slice(1).some((chunk) => 'citations' in chunk)).toBe(false);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(ANSWER);
    expect(chunks.at(-1)?.choices).toMatchObject([{ index: 0, delta: {}, finish_reason: 'stop' }]);
    expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false);
  });

  it('in chunks ends with its usage where asked, and with [DONE]', async () => {
    using raw = new RawClient(pod.port);
    raw.post('/v1/chat/completions', {
      model: 'ragscale',
      messages: MESSAGES,
      stream: true,
      stream_options: { include_usage: true },
    });
    await raw.untilEnd();
    expect(raw.head).toContain('content-type: text/event-stream; charset=utf-8');
    expect(raw.events.every(({ name }) => name === 'message')).toBe(true);
    expect(raw.events.at(-1)?.data).toBe('[DONE]');
    const chunks = raw.events.slice(0, -1).map(({ data }) => JSON.parse(data));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 13 } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  });

  it('helps itself of what the client builds on chunks', async () => {
    const runner = client.chat.completions.stream({
      model: 'ragscale',
      messages: MESSAGES,
      stream_options: { include_usage: true },
    });
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]?.message.content).toBe(ANSWER);
    expect(final.usage?.total_tokens).toBe(13);
  });

  it('is drawn as the settings say, and greedy without any', async () => {
    await chat({});
    const greedy = { maxTokens: 64, temperature: 0, topP: 1, topK: 0, stop: [] };
    expect(pod.engine.generations.at(-1)?.settings).toEqual(greedy);
    const nulls = { max_tokens: null, temperature: null, top_p: null, seed: null, stop: null, n: null, tools: null };
    await chat({ ...nulls, stream: null, stream_options: null, logprobs: null, response_format: null, k: null });
    expect(pod.engine.generations.at(-1)?.settings).toEqual(greedy);
    await chat({
      max_tokens: 9,
      max_completion_tokens: 7,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      seed: 3,
      stop: ['a', 'b'],
      ignore_eos: true,
      k: 1,
    });
    expect(pod.engine.generations.at(-1)?.settings).toEqual({
      maxTokens: 7,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      seed: 3,
      stop: ['a', 'b'],
      ignoreEos: true,
    });
    expect(lastPrompt()).toMatchObject({ passages: [expect.any(String)] });
  });

  it('takes a conversation: instructions, earlier turns, and content in parts', async () => {
    await chat({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello.', name: 'a' },
        { role: 'assistant', content: [{ type: 'text', text: 'Hi.' }] },
        { role: 'developer', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Which animals' },
            { type: 'text', text: 'hover?' },
          ],
        },
      ],
    });
    expect(lastPrompt()).toMatchObject({
      question: 'Which animals\nhover?',
      instructions: 'Be brief.\n\nBe kind.',
      turns: [{ question: 'Hello.', answer: 'Hi.' }],
    });
  });

  it('ignores fields that it does not know, and those that ask for nothing special', async () => {
    const harmless = {
      n: 1,
      tools: [],
      tool_choice: 'auto',
      response_format: { type: 'text' },
      logprobs: false,
      logit_bias: {},
      presence_penalty: 0,
      frequency_penalty: 0,
      modalities: ['text'],
      user: 'someone',
      store: false,
      metadata: { a: 'b' },
      anything: ['else'],
    };
    expect((await chat(harmless)).choices[0]?.message.content).toBe(ANSWER);
  });

  it.each([
    [{ n: 2 }, 'n', 'n other than 1'],
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools', 'tools'],
    [{ functions: [{ name: 'f' }] }, 'functions', 'functions'],
    [{ tool_choice: 'required' }, 'tool_choice', 'tool_choice'],
    [{ response_format: { type: 'json_object' } }, 'response_format', 'response_format other than {"type": "text"}'],
    [{ logprobs: true }, 'logprobs', 'logprobs'],
    [{ top_logprobs: 3 }, 'top_logprobs', 'top_logprobs'],
    [{ logit_bias: { 50256: -100 } }, 'logit_bias', 'logit_bias'],
    [{ presence_penalty: 0.5 }, 'presence_penalty', 'presence_penalty'],
    [{ frequency_penalty: -1 }, 'frequency_penalty', 'frequency_penalty'],
    [{ modalities: ['text', 'audio'] }, 'modalities', 'modalities other than ["text"]'],
    [{ audio: { voice: 'a', format: 'wav' } }, 'audio', 'audio'],
    [
      { messages: [{ role: 'tool', content: 'a', tool_call_id: 'b' }, ...MESSAGES] },
      'messages.0.role',
      'a message with the role tool',
    ],
    [
      { messages: [{ role: 'function', content: null, name: 'f' }, ...MESSAGES] },
      'messages.0.role',
      'a message with the role function',
    ],
    [
      { messages: [...MESSAGES, { role: 'assistant', content: null, tool_calls: [{}] }, ...MESSAGES] },
      'messages.1.tool_calls',
      'a message with tool_calls',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:,' } }] }] },
      'messages.0.content.0.type',
      'a content part of the type image_url',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'a' },
              { type: 'input_audio', input_audio: {} },
            ],
          },
        ],
      },
      'messages.0.content.1.type',
      'a content part of the type input_audio',
    ],
  ])('refuses by name what would change the answer: %j', async (body, param, what) => {
    const error = await chat(body).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, code: 'unsupported', param, type: 'invalid_request_error' });
    expect((error as Error).message).toBe(`400 ${what} is not supported by this server`);
  });

  it.each([
    [{ model: undefined }, 'model', 'model: is required'],
    [{ model: 5 }, 'model', 'model: must be a string'],
    [{ messages: undefined }, 'messages', 'messages: is required'],
    [{ messages: [] }, 'messages', 'messages: must be an array of 1 to 256 messages'],
    [{ messages: Array(257).fill(MESSAGES[0]) }, 'messages', 'messages: must be an array of 1 to 256 messages'],
    [{ messages: ['hello'] }, 'messages.0', 'messages.0: must be an object such as {"role": "user", "content": "..."}'],
    [
      { messages: [{ role: 'robot', content: 'a' }] },
      'messages.0.role',
      'messages.0.role: must be one of system, developer, user, assistant',
    ],
    [
      { messages: [{ role: 'user', content: 5 }] },
      'messages.0.content',
      'messages.0.content: must be a string or an array of parts such as {"type": "text", "text": "..."}',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages.0.content.0.text',
      'messages.0.content.0.text: is required',
    ],
    [{ messages: [{ role: 'user', content: ' \n' }] }, 'messages.0.content', 'messages.0.content: must not be empty'],
    [
      { messages: [{ role: 'user', content: '\ud800' }] },
      'messages.0.content',
      'messages.0.content: must be well-formed Unicode: it holds half of a surrogate pair',
    ],
    [
      { messages: [{ role: 'assistant', content: 'a' }, ...MESSAGES] },
      'messages.0.role',
      'messages.0.role: a message of the assistant must follow one of the user',
    ],
    [
      { messages: [...MESSAGES, { role: 'assistant', content: 'a' }] },
      'messages.1.role',
      'messages.1.role: the last message must be from the user',
    ],
    [
      {
        messages: [
          { role: 'system', content: 'a'.repeat(32_700) },
          { role: 'user', content: 'b'.repeat(69) },
        ],
      },
      'messages',
      'messages: must have at most 32768 characters of content together',
    ],
    [{ temperature: 2.5 }, 'temperature', 'temperature: must be a number from 0 to 2'],
    [{ max_tokens: 0 }, 'max_tokens', 'max_tokens: must be an integer of at least 1'],
    [{ stream: 'yes' }, 'stream', 'stream: must be true or false'],
    [{ k: 21 }, 'k', 'k: must be an integer from 1 to 20'],
  ])('names the field at fault: %j', async (body, param, message) => {
    const response = await post('/v1/chat/completions', { model: 'ragscale', messages: MESSAGES, ...body });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { message, type: 'invalid_request_error', code: 'invalid_request', param },
    });
  });
});
