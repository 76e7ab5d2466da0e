/** A pod with a fake engine, and OpenAI's own client for it. */
import OpenAI from 'openai';
import type { ChatCompletionCreateParamsNonStreaming, ChatCompletionMessageParam } from 'openai/resources';
import { type PodFixture, startPod } from './pod-fixture.ts';

const QUESTION = 'Which animals can hover in the air?';
export const ANSWER = 'Hummingbirds can hover in mid-air by rapidly flapping their wings.';
export const MESSAGES: ChatCompletionMessageParam[] = [{ role: 'user', content: QUESTION }];

export interface OpenAiFixture {
  readonly pod: PodFixture;
  readonly client: OpenAI;
  /** Also for bodies that the client's types would not let pass. */
  chat(body: object): ReturnType<typeof complete>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export async function startOpenAiPod(): Promise<OpenAiFixture> {
  const pod = await startPod();
  const client = new OpenAI({ baseURL: `${pod.url}/v1`, apiKey: 'a-secret-key', maxRetries: 0 });
  return {
    pod,
    client,
    chat: (body) => complete(client, body),
    post: (path, body, headers = {}) =>
      fetch(pod.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}

export async function endOpenAiPod(pod: PodFixture): Promise<void> {
  pod.engine.beforePiece = async () => {};
  await pod[Symbol.asyncDispose]();
}

function complete(client: OpenAI, body: object) {
  const asked = { model: 'ragscale', messages: MESSAGES, ...body };
  return client.chat.completions.create(asked as ChatCompletionCreateParamsNonStreaming);
}
