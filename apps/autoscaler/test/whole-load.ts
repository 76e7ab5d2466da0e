/** Questions to a proxy at a steady rate, which no answer can delay, and what became of them. */
import { VARIANT_HEADER } from '@ragscale/service/ragscale-headers';
import { Agent, request } from 'undici';

const TICK_MS = 20;
const PATIENCE_MS = 120_000;

export class Load implements AsyncDisposable {
  /** How often each status was answered; 0: no answer. */
  readonly statuses = new Map<number, number>();
  readonly #url: string;
  readonly #route: string;
  readonly #agent = new Agent({ headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #perSecond = 0;
  #due = 0;
  #at = performance.now();

  constructor(url: string, route: string) {
    this.#url = url;
    this.#route = route;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Requests per second, from now on. */
  set perSecond(rate: number) {
    this.#tick();
    this.#perSecond = rate;
  }

  /** Of requests that ended. */
  get failed(): number {
    return [...this.statuses].reduce((sum, [status, count]) => sum + (status === 200 ? 0 : count), 0);
  }

  get answered(): number {
    return this.statuses.get(200) ?? 0;
  }

  /** @returns the status */
  async ask(): Promise<number> {
    const status = await this.#statusOf().catch(() => 0);
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    return status;
  }

  /** No more is asked; resolves when all is answered. */
  async end(): Promise<void> {
    this.perSecond = 0;
    await Promise.all(this.#pending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#agent.destroy();
    await Promise.all(this.#pending);
  }

  #tick(): void {
    const now = performance.now();
    this.#due += ((now - this.#at) / 1_000) * this.#perSecond;
    this.#at = now;
    for (; this.#due >= 1; this.#due--) {
      const asked: Promise<void> = this.ask().then(() => void this.#pending.delete(asked));
      this.#pending.add(asked);
    }
  }

  async #statusOf(): Promise<number> {
    const { statusCode, body } = await request(`${this.#url}/rag`, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: { 'content-type': 'application/json', [VARIANT_HEADER]: this.#route },
      body: JSON.stringify({ query: 'Which animals can hover in the air?', max_tokens: 8 }),
    });
    await body.dump();
    return statusCode;
  }
}
