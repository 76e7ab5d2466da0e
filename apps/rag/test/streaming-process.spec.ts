/** Streams and OpenAI's client against a pod as it is started in production, with the models of the repository. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';
import { eventsOf } from '../../../test/support/raw-client.ts';
import { collect } from './collect.ts';

const DOCUMENTS = [
  'Hummingbirds can hover in mid-air by rapidly flapping their wings.',
  'The café “Zürich” on Plaça de Catalunya opened in 1862 — it sells crème brûlée for 7 €.',
  '蜂鸟可以通过快速拍打翅膀在空中悬停。',
  'The 🐦 emoji shows a bird, and the 👩🏽‍🚀 emoji shows an astronaut.',
];
const QUESTIONS = [
  { query: 'Which animals can hover in the air?' },
  { query: 'When did the café “Zürich” open?', max_tokens: 40 },
  { query: 'What does the café sell for 7 €?', temperature: 0.9, seed: 11 },
  { query: '蜂鸟可以做什么？', max_tokens: 90 },
  { query: 'What does the 🐦 emoji show?', max_tokens: 7 },
  { query: 'What does the 👩🏽‍🚀 emoji show?', max_tokens: 90 },
  { query: 'Which animals can hover in the air?', stop: ['mid-air', 'wings'] },
  { query: 'Which animals can hover in the air?', stop: ' by rap' },
  { query: 'Which animals can hover in the air?', max_tokens: 33, ignore_eos: true },
];

interface Events {
  readonly texts: string[];
  readonly done: { finish_reason: string; usage: { completion_tokens: number } };
  readonly sources: unknown;
}

describe.each(['baseline', 'batched'])('a %s pod with the embedded models', (variant) => {
  let pod: PodProcess;
  let client: OpenAI;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ragscale-'));
    const file = path.join(folder, 'documents.jsonl');
    await writeFile(file, DOCUMENTS.map((text, index) => JSON.stringify({ id: `d${index}`, text })).join('\n'));
    pod = await startProcess({ env: { DOCUMENTS: file, VARIANT: variant } });
    client = new OpenAI({ baseURL: `${pod.url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => {
    await pod.stop();
    await rm(folder, { recursive: true });
  });

  async function streamed(body: object): Promise<Events> {
    const response = await pod.post({ ...body, stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = eventsOf(await response.text()).map(({ name, data }) => ({ name, data: JSON.parse(data) }));
    expect(events[0]?.name).toBe('sources');
    expect(events.at(-1)?.name).toBe('done');
    const texts = events.slice(1, -1).map(({ name, data }) => {
      expect(name).toBe('token');
      return data.text as string;
    });
    return { texts, done: events.at(-1)?.data, sources: events[0]?.data.sources };
  }

  it.each(QUESTIONS)('streams, character for character, what it answers whole: %j', async (body) => {
    const whole = (await (await pod.post(body)).json()) as { result: string; sources: unknown };
    const { texts, sources, done } = await streamed(body);
    expect(texts.join('')).toBe(whole.result);
    expect(texts).not.toContain('');
    expect(sources).toEqual(whole.sources);
    if ('ignore_eos' in body) expect(done).toMatchObject({ finish_reason: 'length', usage: { completion_tokens: 33 } });
    // Through the other door: the same question, the same words.
    const { query, ...settings } = body;
    const chat = await client.chat.completions.create({
      model: 'ragscale',
      messages: [{ role: 'user', content: query }],
      ...settings,
    });
    expect(chat.choices[0]?.message.content).toBe(whole.result);
    expect(chat.usage?.completion_tokens).toBe(done.usage.completion_tokens);
  });

  it('streams characters of several bytes whole', async () => {
    const all: string[] = [];
    for (const body of QUESTIONS) all.push(...(await streamed(body)).texts);
    expect(all.some((text) => text.includes('é')) && all.some((text) => text.includes('“'))).toBe(true);
    expect(all.filter((text) => !text.isWellFormed())).toEqual([]);
  });

  it('streams in more than one piece', async () => {
    const { texts, done } = await streamed({ query: 'Which animals can hover in the air?' });
    expect(texts.length).toBeGreaterThan(5);
    expect(done.finish_reason).toBe('stop');
  });

  it('serves its models under their names', async () => {
    const ids = (await collect(client.models.list())).map(({ id }) => id);
    expect(ids).toEqual(['ragscale', 'tiny-rag-opt', 'ragscale-embedder', 'sentence-transformers/all-MiniLM-L6-v2']);
    expect(await client.models.retrieve('sentence-transformers/all-MiniLM-L6-v2')).toMatchObject({ root: ids[3] });
  });

  it('embeds: unit vectors, near each other where the meanings are', async () => {
    const input = ['A hummingbird hovers.', 'Small birds can stay in the air.', 'The bank raised its rates.'];
    const { data, usage } = await client.embeddings.create({ model: 'ragscale-embedder', input });
    const [bird, air, bank] = data.map(({ embedding }) => embedding);
    const cosine = (a: number[] = [], b: number[] = []) =>
      a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
    expect(bird).toHaveLength(384);
    expect(cosine(bird, bird)).toBeCloseTo(1, 4);
    expect(cosine(bird, air)).toBeGreaterThan(cosine(bird, bank) + 0.2);
    expect(usage.prompt_tokens).toBeGreaterThan(15);
  });

  it('streams to the client of OpenAI, which may leave in the middle', async () => {
    const ask = () =>
      client.chat.completions.create({
        model: 'tiny-rag-opt',
        messages: [{ role: 'user', content: 'Which animals can hover in the air?' }],
        max_tokens: 300,
        ignore_eos: true,
        stream: true,
      } as OpenAI.Chat.ChatCompletionCreateParamsStreaming);
    for await (const chunk of await ask()) if (chunk.choices[0]?.delta.content) break;
    const chunks = await collect(await ask());
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('length');
    expect(pod.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
