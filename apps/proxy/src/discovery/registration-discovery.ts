/** Where are the pods? Where they say themselves that they are, or somebody says for them. */
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { foundEndpoint, mergedEndpoints } from './found-endpoints.ts';
import { parseSource } from './source-url.ts';

const MAX_REGISTERED = 256;

/** `invalid`: the URL is not one that requests can be sent to; `full`: there are as many as may be. */
export class RegistrationError extends Error {
  override readonly name = 'RegistrationError';
  readonly reason: 'invalid' | 'full';

  constructor(reason: 'invalid' | 'full', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Kept in memory: after a restart the pods have to register again. */
export class RegistrationDiscovery implements Discovery {
  readonly #byId = new Map<string, FoundEndpoint>();
  #onChange: ((found: readonly FoundEndpoint[]) => void) | undefined;

  /**
   * @param url `http://host:port`
   * @returns whether it was not there yet
   * @throws RegistrationError
   */
  register(url: string): boolean {
    const endpoint = endpointOf(url);
    if (this.#byId.has(endpoint.id)) return false;
    if (this.#byId.size >= MAX_REGISTERED) {
      throw new RegistrationError('full', `${MAX_REGISTERED} endpoints are registered, which is the limit`);
    }
    this.#byId.set(endpoint.id, endpoint);
    this.#handOver();
    return true;
  }

  /**
   * @returns whether it was there
   * @throws RegistrationError when `url` can never have been there
   */
  unregister(url: string): boolean {
    const wasThere = this.#byId.delete(endpointOf(url).id);
    if (wasThere) this.#handOver();
    return wasThere;
  }

  /** Origins, `http://host:port`, in the order of ids. */
  list(): readonly string[] {
    return this.#found().map(({ origin }) => origin);
  }

  async start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    this.#onChange = onChange;
    this.#handOver();
  }

  async stop(): Promise<void> {
    this.#onChange = undefined;
  }

  #found(): readonly FoundEndpoint[] {
    return mergedEndpoints([...this.#byId.values()]);
  }

  #handOver(): void {
    this.#onChange?.(this.#found());
  }
}

function endpointOf(url: string): FoundEndpoint {
  try {
    const source = parseSource(url.trim());
    if (source.kind !== 'static' || source.weight !== 1)
      throw new Error(`${url.slice(0, 200)}: write http://host:8000`);
    return foundEndpoint(source.host, source.port);
  } catch (error) {
    throw new RegistrationError('invalid', error instanceof Error ? error.message : String(error));
  }
}
