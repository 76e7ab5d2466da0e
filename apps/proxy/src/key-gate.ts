/** May this request come in? Whose key it carries, and whether its holder has requests left. */
import type { ApiKeys, KeyHolder } from '@ragscale/service/api-keys';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { type BucketLimits, TokenBucket } from '@ragscale/service/token-bucket';

export interface KeyGateParts {
  /** The keys of the moment. */
  readonly keys: () => ApiKeys;
  /** Proxies that share the load, this one included: a rate is of all together, so each allows its share. */
  readonly proxies: () => number;
}

interface Meter {
  readonly bucket: TokenBucket;
  /** What the bucket's limits were made from. */
  holder: KeyHolder;
  proxies: number;
}

export class KeyGate {
  readonly #parts: KeyGateParts;
  readonly #meters = new Map<string, Meter>();
  #keys: ApiKeys | undefined;

  constructor(parts: KeyGateParts) {
    this.#parts = parts;
  }

  /**
   * @param authorization the value of the header; @param now milliseconds of a monotonic clock
   * @returns the name of the key's holder, for the log
   * @throws ServiceError invalid_api_key, rate_limit_exceeded
   */
  admit(authorization: string | undefined, now: number): string {
    const keys = this.#parts.keys();
    if (keys !== this.#keys) this.#forgetOthers(keys);
    const holder = keys.find(authorization);
    if (holder === undefined)
      throw new ServiceError('invalid_api_key', {}, { headers: { 'www-authenticate': 'Bearer' } });
    const { name, ratePerSecond } = holder;
    if (ratePerSecond === undefined) return name;
    const waitMs = this.#meterOf(holder, ratePerSecond, now).bucket.take(now);
    if (waitMs > 0)
      throw new ServiceError('rate_limit_exceeded', { rate: ratePerSecond }, { retryAfterSeconds: waitMs / 1000 });
    return name;
  }

  #meterOf(holder: KeyHolder, ratePerSecond: number, now: number): Meter {
    const proxies = Math.max(1, this.#parts.proxies());
    const known = this.#meters.get(holder.name);
    if (known?.holder === holder && known.proxies === proxies) return known;
    const limits = shareOf(holder, ratePerSecond, proxies);
    if (known === undefined) {
      const meter = { bucket: new TokenBucket(limits), holder, proxies };
      this.#meters.set(holder.name, meter);
      return meter;
    }
    // Not a new bucket: that would be full, and every change of the file or of the proxies a gift.
    known.bucket.adjust(limits, now);
    known.holder = holder;
    known.proxies = proxies;
    return known;
  }

  /** Holders that are gone leave nothing behind. */
  #forgetOthers(keys: ApiKeys): void {
    this.#keys = keys;
    for (const name of this.#meters.keys()) if (!keys.names.has(name)) this.#meters.delete(name);
  }
}

/** Without a burst of its own a holder may send at once what it may send in a second. */
function shareOf({ burst }: KeyHolder, ratePerSecond: number, proxies: number): BucketLimits {
  return { ratePerSecond: ratePerSecond / proxies, burst: Math.max(1, (burst ?? ratePerSecond) / proxies) };
}
