/** Where are the pods? At the addresses that a name resolves to. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Clock, pauseMs, realClock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { foundEndpoint, mergedEndpoints, whenChanged } from './found-endpoints.ts';

/** Each throws an error with a `code` as node:dns does. */
export interface NameResolver {
  resolve4(name: string): Promise<readonly string[]>;
  resolve6(name: string): Promise<readonly string[]>;
  /** As the operating system does it: /etc/hosts, search domains. */
  lookup(name: string): Promise<readonly string[]>;
}

export interface DnsDiscoveryOptions {
  readonly logger: Logger;
  readonly intervalMs?: number | undefined;
  readonly resolver?: NameResolver;
  readonly clock?: Clock;
  readonly random?: () => number;
}

const INTERVAL_MS = 5_000;

/** The server was heard and says that nobody is there: no such name, or no record of that type. */
const NOBODY = new Set(['ENOTFOUND', 'ENODATA', 'NXDOMAIN']);

/**
 * Addresses of both families are asked for. Where a name has both, it has the same pods twice (a dual-stack Service), and each pod's slots would be
 * counted twice: then the IPv4 addresses are taken.
 */
export class DnsDiscovery implements Discovery {
  readonly #target: { host: string; port: number; weight: number };
  readonly #logger: Logger;
  readonly #intervalMs: number;
  readonly #resolver: NameResolver;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #stopping = new AbortController();

  constructor(
    target: { readonly host: string; readonly port: number; readonly weight: number },
    options: DnsDiscoveryOptions,
  ) {
    this.#target = target;
    this.#logger = options.logger;
    this.#intervalMs = options.intervalMs ?? INTERVAL_MS;
    this.#resolver = options.resolver ?? systemResolver();
    this.#clock = options.clock ?? realClock;
    this.#random = options.random ?? Math.random;
  }

  start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    const first = Promise.withResolvers<void>();
    const handOver = whenChanged(onChange);
    this.#stopping.signal.addEventListener('abort', () => first.resolve());
    this.#resolveUntilStopped((found) => {
      handOver(found);
      first.resolve();
    }).catch(first.reject);
    return first.promise;
  }

  /** A resolution in progress cannot be called off; its answer goes nowhere. */
  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  async #resolveUntilStopped(handOver: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    const { signal } = this.#stopping;
    const { host, port, weight } = this.#target;
    let failures = 0;
    let everResolved = false;
    while (!signal.aborted) {
      try {
        const addresses = await resolveAddresses(host, this.#resolver);
        if (signal.aborted) return;
        if (failures > 0) this.#logger.info({ host }, `${host} resolves again`);
        failures = 0;
        everResolved = true;
        handOver(mergedEndpoints(addresses.map((address) => foundEndpoint(address, port, { weight }))));
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        const still = everResolved ? ': the endpoints found before are kept' : '';
        if (failures === 1) this.#logger.warn({ err: error, host }, `${host} cannot be resolved${still}`);
      }
      await this.#clock.sleep(everResolved ? this.#intervalMs : pauseMs(failures, this.#random()), signal);
    }
  }
}

/**
 * @returns addresses of one family; empty when nobody is there
 * @throws Error of the resolver when that is not known
 */
export async function resolveAddresses(host: string, resolver: NameResolver): Promise<readonly string[]> {
  const address = host.replace(/^\[|\]$/g, '');
  if (isIP(address)) return [address];
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  for (const family of [four, six]) {
    if (family.status === 'fulfilled' && family.value.length > 0) return family.value;
    // IPv6 in place of IPv4 addresses that only were not heard of would be a change of list for nothing.
    if (family.status === 'rejected' && !saysNobody(family.reason)) break;
  }
  const unknown = [four, six].find((family) => family.status === 'rejected' && !saysNobody(family.reason));
  try {
    const found = await resolver.lookup(host);
    const ofFour = found.filter((one) => isIP(one) === 4);
    return ofFour.length > 0 ? ofFour : found;
  } catch (error) {
    if (unknown?.status === 'rejected') throw unknown.reason;
    if (saysNobody(error)) return [];
    throw error;
  }
}

function saysNobody(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && NOBODY.has(error.code);
}

function systemResolver(): NameResolver {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  return {
    resolve4: (name) => resolver.resolve4(name),
    resolve6: (name) => resolver.resolve6(name),
    lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  };
}
