/** A pod as the proxy meets it: an HTTP server that answers as the test says, and remembers what it was asked. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Whether the proxy has broken off before the answer was whole. */
  readonly withdrawn: () => boolean;
}

export type Behaviour = (
  asked: AskedRequest,
  response: ServerResponse,
  request: IncomingMessage,
) => void | Promise<void>;

export interface FakePodOptions {
  /** Announced in `x-ragscale-slots`; nothing is announced when null. */
  readonly slots?: number | null;
  readonly port?: number;
}

export class FakePod implements AsyncDisposable {
  readonly #server: Server;
  readonly #slots: number | null;
  /** Everything but probes, in order of arrival, whole bodies only. */
  readonly asked: AskedRequest[] = [];
  /** Answers to `/readyz`: 200, or the code of the error of a 503, or never. */
  readiness: 'ready' | 'not_ready' | 'draining' | 'silent' = 'ready';
  behaviour: Behaviour = answerJson;
  /** How it reads a body; what it returns is remembered. */
  reader: (request: IncomingMessage) => Promise<string> = wholeText;
  /** Requests whose answer is not finished. */
  inFlight = 0;
  mostInFlight = 0;

  private constructor(server: Server, slots: number | null) {
    this.#server = server;
    this.#slots = slots;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static async start({ slots = 4, port = 0 }: FakePodOptions = {}): Promise<FakePod> {
    const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 });
    const pod = new FakePod(server, slots);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return pod;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  /** As SIGKILL: every connection is reset and nobody listens. */
  async kill(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#slots !== null) response.setHeader('x-ragscale-slots', String(this.#slots));
    if (request.url === '/readyz') {
      this.#answerProbe(response);
      return;
    }
    let body: string;
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    response.once('close', () => {
      this.inFlight -= 1;
    });
    request.on('error', () => undefined);
    try {
      body = await this.reader(request);
    } catch {
      return;
    }
    const { method = '', url = '', headers, rawHeaders } = request;
    const withdrawn = (): boolean => response.destroyed && !response.writableFinished;
    const asked = { method, url, headers, rawHeaders, body, withdrawn };
    this.asked.push(asked);
    await this.behaviour(asked, response, request);
  }

  #answerProbe(response: ServerResponse): void {
    if (this.readiness === 'silent') return;
    if (this.readiness === 'ready') {
      response.end('{"status":"ok"}');
      return;
    }
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { code: this.readiness } }));
  }
}

async function wholeText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** What a pod of ours answers at once. */
export function answerJson(_asked: AskedRequest, response: ServerResponse): void {
  const body = JSON.stringify({ query: 'q', result: 'r', sources: [] });
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length });
  response.end(body);
}

/** @param headers besides the type and the code of the error in the body */
export function answerError(status: number, code: string, headers: Record<string, string> = {}): Behaviour {
  return (_asked, response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify({ error: { message: code, type: 'server_error', code, param: null } }));
  };
}

/** Each part as it comes; the stream ends when the parts do. */
export function answerEvents(parts: Iterable<string> | AsyncIterable<string>): Behaviour {
  return async (_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    for await (const part of parts) response.write(part);
    response.end();
  };
}
