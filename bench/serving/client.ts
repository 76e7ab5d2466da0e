/** How is one question asked over HTTP, and its answer timed? */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { RagQuestion } from './workload.ts';

export interface Target {
  readonly url: string;
  /** Asks for server-sent events, so that the first token is seen when it comes. */
  readonly stream: boolean;
  readonly timeoutMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  /** HTTP status; 0 when there was no complete answer in time: broken, refused connection, timed out. */
  readonly status: number;
  /** `performance.now()` at the first token of a stream; undefined where it was not seen apart from the rest. */
  readonly firstTokenAt: number | undefined;
  readonly doneAt: number;
  readonly body: string;
}

/** As many connections as there are requests under way, kept open. */
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 4096 });

/** Never rejects: what goes wrong is a status. */
export function ask(target: Target, question: RagQuestion): Promise<Reply> {
  const body = JSON.stringify(target.stream ? { ...question, stream: true } : question);
  return new Promise((resolve) => {
    const headers = {
      ...target.headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(`${target.url}/rag`, { method: 'POST', agent, headers });
    let received = '';
    let firstTokenAt: number | undefined;
    const settle = (status: number) => {
      clearTimeout(timer);
      resolve({ status, firstTokenAt, doneAt: performance.now(), body: received });
    };
    const timer = setTimeout(() => sent.destroy(new Error('timed out')), target.timeoutMs);
    sent.on('error', () => settle(0));
    sent.on('response', (response: IncomingMessage) => {
      const streams = response.headers['content-type']?.startsWith('text/event-stream') ?? false;
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        received += part;
        if (streams && firstTokenAt === undefined && received.includes('event: token')) {
          firstTokenAt = performance.now();
        }
      });
      response.on('error', () => settle(0));
      // A stream that ends without its last event was broken, whatever its status said.
      response.on('end', () => settle(streams && !received.includes('event: done') ? 0 : (response.statusCode ?? 0)));
    });
    sent.end(body);
  });
}
