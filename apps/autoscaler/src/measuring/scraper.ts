/** What do the processes say of themselves, again and again? Each is asked for its metrics once a second. */
import type { Clock } from '@ragscale/service/clock';
import { Agent } from 'undici';

/** @returns the answer's text @throws Error when there is none, in words */
export type Fetch = (url: string, signal: AbortSignal) => Promise<string>;

export interface ScraperOptions {
  /** URLs by name, asked for before each scrape: processes come and go. */
  readonly sources: () => ReadonlyMap<string, string>;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** @throws Error where the text makes no sense */
  readonly onText: (name: string, text: string, at: number) => void;
}

interface Source {
  isAsked: boolean;
  /** Why there was no answer, in words; undefined where there was one. */
  failure: string | undefined;
}

export class Scraper {
  readonly #options: ScraperOptions;
  readonly #sources = new Map<string, Source>();
  readonly #stopped = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: ScraperOptions) {
    this.#options = options;
  }

  /** Names of those that there are now. */
  get names(): readonly string[] {
    return [...this.#sources.keys()];
  }

  /** Of the last scrape. */
  failureOf(name: string): string | undefined {
    return this.#sources.get(name)?.failure;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs } = this.#options;
    const { signal } = this.#stopped;
    const underWay = new Set<Promise<void>>();
    while (!signal.aborted) {
      for (const [name, url] of this.#currentSources()) {
        const source = this.#sources.get(name)!;
        // One that does not answer has its own time; the others do not wait for it.
        if (source.isAsked) continue;
        const scrape = this.#scrape(name, url, source).finally(() => underWay.delete(scrape));
        underWay.add(scrape);
      }
      await clock.sleep(intervalMs, signal);
    }
    await Promise.all(underWay);
  }

  #currentSources(): ReadonlyMap<string, string> {
    const current = this.#options.sources();
    for (const name of this.#sources.keys()) if (!current.has(name)) this.#sources.delete(name);
    for (const name of current.keys()) {
      if (!this.#sources.has(name)) this.#sources.set(name, { isAsked: false, failure: undefined });
    }
    return current;
  }

  async #scrape(name: string, url: string, source: Source): Promise<void> {
    const { fetch, clock, onText } = this.#options;
    source.isAsked = true;
    try {
      const text = await fetch(url, this.#stopped.signal);
      // It may have gone meanwhile, and another one have its name.
      if (this.#sources.get(name) !== source || this.#stopped.signal.aborted) return;
      onText(name, text, clock.now());
      source.failure = undefined;
    } catch (error) {
      source.failure = error instanceof Error ? error.message : String(error);
    } finally {
      source.isAsked = false;
    }
  }
}

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Over kept connections. */
export class MetricsFetcher {
  readonly #timeoutMs: number;
  readonly #agent: Agent;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({ allowH2: false, maxResponseSize: MAX_ANSWER_BYTES, connect: { timeout: timeoutMs } });
  }

  /** @param url of the process, such as `http://127.0.0.1:9001` */
  readonly fetch: Fetch = async (url, signal) => {
    const limit = AbortSignal.timeout(this.#timeoutMs);
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: new URL(url).origin,
        path: '/metrics',
        method: 'GET',
        signal: AbortSignal.any([signal, limit]),
      });
      body.on('error', () => undefined);
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`it answers ${statusCode}`);
      return text;
    } catch (error) {
      throw limit.aborted ? new Error(`no answer within ${this.#timeoutMs} ms`, { cause: error }) : error;
    }
  };

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
