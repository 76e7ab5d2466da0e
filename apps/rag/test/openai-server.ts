/** A server that speaks OpenAI's API as a test scripts it: what it answers, in which pieces of bytes, and how it fails. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model?: string;
    readonly max_tokens?: number;
    readonly messages?: readonly { readonly role: string; readonly content: string }[];
    readonly prompt?: string;
  };
}

export type Respond = (response: ServerResponse, asked: Asked) => Promise<void> | void;

/** Chunks of an answer, as the chat endpoint has them. */
export function chatEvents(pieces: readonly string[], usage?: object): string[] {
  const chunk = (delta: object, finish: string | null) => ({ choices: [{ index: 0, delta, finish_reason: finish }] });
  return [
    chunk({ role: 'assistant', content: '' }, null),
    ...pieces.map((content) => chunk({ content }, null)),
    chunk({}, 'stop'),
    ...(usage === undefined ? [] : [{ choices: [], usage }]),
  ].map((data) => `data: ${JSON.stringify(data)}\n\n`);
}

export const USAGE = { prompt_tokens: 21, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 8 } };

export function beginStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
}

/** Answers whole. */
export const answering =
  (...pieces: readonly string[]): Respond =>
  (response) =>
    void beginStream(response).end(`${chatEvents(pieces, USAGE).join('')}data: [DONE]\n\n`);

export const refusing =
  (status: number, body: unknown = { error: { message: 'no' } }, headers: Record<string, string> = {}): Respond =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export class OpenAiServer implements AsyncDisposable {
  readonly #server: Server;
  readonly asked: Asked[] = [];
  /** For the next requests for an answer, in order; then `respond`. */
  readonly next: Respond[] = [];
  respond: Respond = answering(' A', ' kestrel', ' hovers.');
  models: Respond = refusing(200, { object: 'list', data: [{ id: 'their-model', max_model_len: 4_096 }] });
  /** Requests for an answer that are open now, and the most there were. */
  open = 0;
  mostOpen = 0;
  /** Answers whose client went before they were whole. */
  abandoned = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<OpenAiServer> {
    const server = new OpenAiServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { authorization } = request.headers;
    const asked = { path: request.url ?? '', authorization, body: JSON.parse(Buffer.concat(parts).toString() || '{}') };
    if (request.method === 'GET') return this.models(response, asked);
    this.asked.push(asked);
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.once('close', () => {
      this.open -= 1;
      if (!response.writableFinished) this.abandoned += 1;
    });
    return (this.next.shift() ?? this.respond)(response, asked);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
