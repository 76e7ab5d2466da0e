/** By which credentials and over which connections is the API server asked now? Both together are a session, and none lasts long. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '@ragscale/service/clock';
import { Agent, type Dispatcher } from 'undici';
import { credentialsOf } from './credentials.ts';

export interface Session {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
  readonly openedAt: number;
}

/** After it credentials are read anew, as client-go does: the tokens of ServiceAccounts are replaced long before they expire. */
const SESSION_MS = 60_000;
const CLOSE_TIMEOUT_MS = 500;

interface Opening {
  readonly session: Promise<Session>;
  readonly begunAt: number;
}

export class Sessions {
  readonly #config: KubeConfig;
  readonly #clock: Clock;
  #current: Session | undefined;
  #opening: Opening | undefined;
  readonly #ending = new Set<Dispatcher>();

  constructor(config: KubeConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** @throws Error when there are no credentials */
  async open(): Promise<Session> {
    const current = this.#current;
    if (current && this.#clock.now() - current.openedAt < SESSION_MS) return current;
    if (current) this.retire(current);
    // A program that makes credentials may hang; whoever asks does not wait for it, and after a while another is tried.
    const isStuck = this.#opening && this.#clock.now() - this.#opening.begunAt >= SESSION_MS;
    if (!this.#opening || isStuck) this.#opening = { session: this.#begin(), begunAt: this.#clock.now() };
    return this.#opening.session;
  }

  /** It is used for nothing more; what is under way is finished. */
  retire(session: Session): void {
    if (this.#current === session) this.#current = undefined;
    const { dispatcher } = session;
    if (this.#ending.has(dispatcher)) return;
    this.#ending.add(dispatcher);
    const forget = (): boolean => this.#ending.delete(dispatcher);
    dispatcher.close().then(forget, forget);
  }

  /** Resolves when all connections are closed, or soon: one that is just being opened would take ten seconds to be given up. */
  async close(): Promise<void> {
    const open = this.#current ? [this.#current.dispatcher] : [];
    this.#current = undefined;
    const closed = Promise.allSettled([...open, ...this.#ending].map((dispatcher) => dispatcher.destroy()));
    await Promise.race([closed, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #begin(): Promise<Session> {
    try {
      const { headers, dispatcher } = await credentialsOf(this.#config);
      this.#current = { headers, dispatcher: dispatcher ?? new Agent(), openedAt: this.#clock.now() };
      return this.#current;
    } finally {
      this.#opening = undefined;
    }
  }
}
