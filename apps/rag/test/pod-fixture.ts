/** A pod with a fake engine on a free port, and a client for it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createLogger } from '@ragscale/service/logging';
import type { Tracing } from '@ragscale/service/tracing';
import { readConfiguration } from '../src/configuration.ts';
import { Pod } from '../src/pod.ts';
import type { StartEngine } from '../src/start-up.ts';
import { FakeEngine } from './fake-engine.ts';

export interface PodFixture extends AsyncDisposable {
  readonly pod: Pod;
  readonly engine: FakeEngine;
  readonly port: number;
  readonly url: string;
  /** Every line of the log, parsed. */
  readonly log: Record<string, unknown>[];
  post(body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>;
  metrics(): Promise<string>;
}

export interface FixtureOptions {
  readonly env?: Record<string, string>;
  /** Leave the pod starting: the test calls `pod.start()`. */
  readonly unstarted?: boolean;
  readonly startEngine?: StartEngine;
  readonly tracing?: Tracing;
}

export async function startPod({
  env = {},
  unstarted = false,
  startEngine,
  tracing,
}: FixtureOptions = {}): Promise<PodFixture> {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: 'debug', format: 'json' },
    { write: (line: string) => log.push(JSON.parse(line)) },
  );
  const configuration = readConfiguration({
    PORT: '0',
    HOST: '127.0.0.1',
    VARIANT: 'baseline',
    SHUTDOWN_TIMEOUT_MS: '2000',
    ...env,
  });
  const { context, slots } = configuration;
  const engine = new FakeEngine({ slots, ...(context === undefined ? {} : { context }) });
  const pod = new Pod({ configuration, logger, startEngine: startEngine ?? (async () => engine), tracing });
  const port = await pod.listen();
  const url = `http://127.0.0.1:${port}`;
  if (!unstarted) await pod.start();
  return {
    pod,
    engine,
    port,
    url,
    log,
    post: (body, headers = {}, signal) =>
      fetch(`${url}/rag`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    [Symbol.asyncDispose]: async () => {
      engine.beforeAnswer = async () => {};
      await pod.shutDown();
    },
  };
}

/** Sends bytes as they are and reads until the server closes, or until a whole answer with a body has come. */
export async function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(bytes);
  return readAll(socket);
}

async function readAll(socket: Socket): Promise<string> {
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    answer += part;
  });
  socket.on('error', () => {});
  await once(socket, 'close');
  return answer;
}

/** Resolves when `condition` holds; the test's own timeout ends the wait. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
