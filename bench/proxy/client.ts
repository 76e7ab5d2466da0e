/** How is a question asked through a proxy, and what became of it? */
import { Agent, type IncomingMessage, request } from 'node:http';

/**
 * `answered`: whole, a stream with its `done`; `status`: another one than 200; `reset`: the connection broke before a status came;
 * `cut`: it broke within the answer; `error-event`: a stream that said that it failed; `broken-stream`: one that did not;
 * `timeout`: no end in time.
 */
export type Ending = 'answered' | 'status' | 'reset' | 'cut' | 'error-event' | 'broken-stream' | 'timeout';

/** Times in milliseconds of `performance.now()`. */
export interface Outcome {
  readonly ending: Ending;
  /** 0 when none came. */
  readonly status: number;
  readonly sentAt: number;
  /** The first `token` event; undefined where there was none. */
  readonly firstTokenAt: number | undefined;
  /** Whether a stream had begun: an event came that is no `error`. From then on no other pod could have answered. */
  readonly began: boolean;
  readonly doneAt: number;
}

export interface Question {
  readonly query: string;
  readonly stream?: boolean;
  readonly service_ms?: number;
  readonly tokens?: number;
  readonly token_ms?: number;
}

export interface AskOptions {
  readonly timeoutMs: number;
  /** Each `token` event's data as it comes. */
  readonly onToken?: (data: string) => void;
}

/** With connections of its own, as many as there are requests under way, kept open until it is closed. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 4096 });

  /** Never rejects: what goes wrong is an ending. */
  ask(url: string, question: Question, { timeoutMs, onToken }: AskOptions): Promise<Outcome> {
    const { hostname, port } = new URL(url);
    const body = JSON.stringify(question);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve) => {
      const sentAt = performance.now();
      let status = 0;
      let firstTokenAt: number | undefined;
      let began = false;
      let timedOut = false;
      const settle = (ending: Ending) => {
        clearTimeout(timer);
        const times = { sentAt, firstTokenAt, doneAt: performance.now() };
        resolve({ ending: timedOut ? 'timeout' : ending, status, began, ...times });
      };
      const options = { hostname, port, path: '/rag', method: 'POST', agent: this.#agent, headers };
      const sent = request(options, (response) => {
        status = response.statusCode!;
        if (!response.headers['content-type']?.startsWith('text/event-stream')) return readWhole(response, settle);
        readEvents(response, settle, (name, data) => {
          began ||= name !== 'error';
          if (name !== 'token') return;
          firstTokenAt ??= performance.now();
          onToken?.(data);
        });
      });
      const timer = setTimeout(() => {
        timedOut = true;
        sent.destroy();
        settle('timeout');
      }, timeoutMs);
      sent.on('error', () => settle(status === 0 ? 'reset' : 'cut'));
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function readWhole(response: IncomingMessage, settle: (ending: Ending) => void): void {
  response.resume();
  response.on('error', () => settle('cut'));
  response.on('end', () => settle(response.statusCode === 200 ? 'answered' : 'status'));
}

function readEvents(
  response: IncomingMessage,
  settle: (ending: Ending) => void,
  onEvent: (name: string, data: string) => void,
): void {
  let unread = '';
  let last: Ending = 'broken-stream';
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    const events = (unread + part).split('\n\n');
    unread = events.pop()!;
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)/.exec(event) ?? [];
      // Comments that only keep a connection alive have neither.
      if (name === undefined) continue;
      onEvent(name, data!);
      if (name === 'done') last = 'answered';
      if (name === 'error') last = 'error-event';
    }
  });
  response.on('error', () => settle(last));
  response.on('end', () => settle(last));
}
