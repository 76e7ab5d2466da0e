/** What do the processes of this computer say when they are asked? Whether they are ready; and the proxy, where its pods are. */
import { Agent, request } from 'undici';
import type { Condition } from './kept-process.ts';

/** For an answer, or a connection. */
const TIMEOUT_MS = 1_000;

export class LocalClient {
  readonly #agent = new Agent({
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    pipelining: 1,
    allowH2: false,
  });

  /** Never rejects. @param origin `http://127.0.0.1:port` */
  async readiness(origin: string, signal: AbortSignal): Promise<Condition> {
    const status = await this.#status('GET', `${origin}/readyz`, undefined, signal);
    if (status === 200) return 'able';
    return status === undefined ? 'silent' : 'alive';
  }

  /**
   * Tells the proxy that a pod is there; again and again does no harm. Never rejects.
   * @param adminOrigin of the proxy; @param podOrigin `http://127.0.0.1:port`
   * @returns whether the proxy knows it now
   */
  async register(adminOrigin: string, podOrigin: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#status('POST', `${adminOrigin}/register`, { url: podOrigin }, signal)) === 200;
  }

  /** Tells the proxy that a pod goes. Never rejects: a proxy that does not answer sends nothing either, or finds out. */
  async unregister(adminOrigin: string, podOrigin: string): Promise<void> {
    await this.#status('POST', `${adminOrigin}/unregister`, { url: podOrigin }, AbortSignal.timeout(2 * TIMEOUT_MS));
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /** @returns undefined where there was no answer in time */
  async #status(
    method: 'GET' | 'POST',
    url: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    try {
      const answer = await request(url, {
        dispatcher: this.#agent,
        method,
        signal,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      });
      await answer.body.dump();
      return answer.statusCode;
    } catch {
      return undefined;
    }
  }
}
