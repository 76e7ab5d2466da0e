/**
 * A pod as its clients see it, without models: slots and a queue before them, streams, refusals, readiness and a drain as the real one's.
 *
 * `POST /rag` takes `{"query", "stream"?, "service_ms"? = 0, "tokens"? = 10, "token_ms"? = 20}`; each token's event tells when it was
 * written (`at`, milliseconds of the machine's monotonic clock). `POST /control` on CONTROL_PORT takes
 * `{"failing"?: boolean, "held"?: boolean, "slowdown"?: number}`: answer 500, start nothing, take so many times as long.
 * Environment: PORT, CONTROL_PORT, SLOTS = 4, QUEUE = 64, DRAIN_DELAY = 1000 (ms), SLOWDOWN = 1.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from './monotonic.ts';

interface Question {
  readonly query: string;
  readonly stream?: boolean;
  readonly service_ms?: number;
  readonly tokens?: number;
  readonly token_ms?: number;
}

const setting = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);
const slots = setting('SLOTS', 4);
const queueLimit = setting('QUEUE', 64);
const drainDelayMs = setting('DRAIN_DELAY', 1000);
const control = { failing: false, held: false, slowdown: setting('SLOWDOWN', 1) };

/** As the real pod's lifecycle: one that leaves still answers, one that drains refuses. */
let state: 'ready' | 'leaving' | 'draining' = 'ready';
let running = 0;
const waiting: { readonly response: ServerResponse; readonly start: () => void }[] = [];

const TEXT = 'The answer is made of words that nobody computed. '.repeat(4);
const SOURCES = [{ id: 'document-1', score: 0.5, text: 'A passage.' }];

function fail(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  const error = { message: `this stand-in says ${code}`, type: 'server_error', code, param: null };
  send(response, status, { error }, headers);
}

function send(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  if (response.destroyed) return;
  const body = JSON.stringify(value);
  const more = state === 'ready' ? headers : { ...headers, connection: 'close' };
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-ragscale-slots': slots,
    ...more,
  });
  response.end(body);
}

function admit(response: ServerResponse, question: Question): void {
  const start = () => {
    running += 1;
    // Whether it was answered or its client went: 'close' comes once.
    response.once('close', () => {
      running -= 1;
      startNext();
    });
    void answer(response, question);
  };
  if (state === 'draining') fail(response, 503, 'draining', { 'retry-after': '1' });
  else if (control.failing) fail(response, 500, 'internal');
  else if (running < slots && !control.held) start();
  else if (waiting.length >= queueLimit) fail(response, 429, 'queue_full', { 'retry-after': '1' });
  else wait(response, start);
}

function wait(response: ServerResponse, start: () => void): void {
  const entry = { response, start };
  waiting.push(entry);
  response.once('close', () => {
    const place = waiting.indexOf(entry);
    if (place >= 0) waiting.splice(place, 1);
  });
}

function startNext(): void {
  while (running < slots && !control.held && waiting.length > 0) waiting.shift()!.start();
}

async function answer(response: ServerResponse, question: Question): Promise<void> {
  const { query, stream = false, service_ms = 0, tokens = 10, token_ms = 20 } = question;
  if (!stream) {
    if (service_ms > 0) await sleep(service_ms * control.slowdown);
    send(response, 200, { query, result: TEXT, sources: SOURCES });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-ragscale-slots': slots });
  response.write(event('sources', { query, sources: SOURCES }));
  let due = monotonicMs();
  for (let i = 0; i < tokens && !response.destroyed; i++) {
    due += token_ms * control.slowdown;
    await sleep(Math.max(0, due - monotonicMs()));
    response.write(event('token', { text: `word${i} `, at: monotonicMs() }));
  }
  response.end(event('done', { usage: { completion_tokens: tokens } }));
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of incoming.setEncoding('utf8')) body += part;
  return body;
}

const server = createServer((incoming, response) => {
  response.on('error', () => {});
  const route = `${incoming.method} ${incoming.url}`;
  if (route === 'POST /rag') {
    bodyOf(incoming).then(
      (body) => admit(response, JSON.parse(body) as Question),
      () => response.destroy(),
    );
  } else if (route === 'GET /livez') send(response, 200, { status: 'live' });
  else if (route !== 'GET /readyz') fail(response, 404, 'not_found');
  else if (state === 'ready') send(response, 200, { status: 'ready' });
  else fail(response, 503, 'draining', { 'retry-after': '1' });
});
server.keepAliveTimeout = 75_000;
server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 });

createServer((incoming, response) => {
  void bodyOf(incoming).then((body) => {
    Object.assign(control, JSON.parse(body));
    startNext();
    response.end();
  });
}).listen(Number(process.env.CONTROL_PORT), '127.0.0.1');

process.once('SIGTERM', async () => {
  state = 'leaving';
  await sleep(drainDelayMs);
  state = 'draining';
  server.close();
  while (running + waiting.length > 0) await sleep(20);
  // For the last answers to leave.
  await sleep(50);
  process.exit(0);
});
