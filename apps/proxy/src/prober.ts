/** Asks a pod every now and then whether it is ready, on a connection of its own: one that is full or frozen must not hold it up. */
import type { ProbeResult } from '@ragscale/balancing/health';
import { SLOTS_HEADER } from '@ragscale/service/ragscale-headers';
import { Client, errors } from 'undici';
import { failureOf } from './attempt.ts';

export interface ProbeSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export interface Probe {
  readonly result: ProbeResult;
  /** Value of the header in which pods tell what they can answer at once. */
  readonly slots: unknown;
}

const MAX_ANSWER_BYTES = 4_096;

export class Prober {
  readonly #settings: ProbeSettings;
  readonly #onProbe: (probe: Probe) => void;
  readonly #client: Client;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #stopped = false;

  /** @param onProbe never called after `stop` */
  constructor(origin: string, settings: ProbeSettings, onProbe: (probe: Probe) => void) {
    this.#settings = settings;
    this.#onProbe = onProbe;
    this.#client = new Client(origin, { allowH2: false, pipelining: 1, connectTimeout: settings.timeoutMs });
  }

  /** Probes now, and then again and again; while a probe runs it has no effect. */
  probe(): void {
    if (this.#running || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#running = true;
    void this.#ask().then((probe) => {
      this.#running = false;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.probe(), this.#settings.intervalMs);
      this.#onProbe(probe);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    void this.#client.destroy().catch(() => undefined);
  }

  async #ask(): Promise<Probe> {
    try {
      const signal = AbortSignal.timeout(this.#settings.timeoutMs);
      const { statusCode, headers, body } = await this.#client.request({ method: 'GET', path: '/readyz', signal });
      const text = await limitedText(body);
      return { result: resultOf(statusCode, text), slots: headers[SLOTS_HEADER] };
    } catch (error) {
      return { result: this.#stopped ? 'silent' : resultOfFailure(error as Error), slots: undefined };
    }
  }
}

async function limitedText(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of body) if (text.length < MAX_ANSWER_BYTES) text += chunk.toString('latin1');
  return text;
}

/** A 503 of a pod of ours says why; of any other server it says that it is not ready yet. */
function resultOf(status: number, text: string): ProbeResult {
  if (status === 200) return 'ready';
  if (status !== 503) return 'failing';
  return /"code":\s*"draining"/.test(text) ? 'draining' : 'starting';
}

function resultOfFailure(error: Error): ProbeResult {
  if (error.name === 'TimeoutError' || error instanceof errors.ConnectTimeoutError) return 'silent';
  const failure = failureOf(error);
  // A pod that dies closes its connections first: the next probe finds that nothing listens.
  return failure === 'broken' ? 'failing' : failure;
}
