/** What the parts of a proxy take of its configuration. */
import { DEFAULT_HEALTH_SETTINGS } from '@ragscale/balancing/health';
import type { Configuration } from './configuration.ts';
import type { EndpointSettings } from './endpoint.ts';
import type { ExchangeSettings } from './exchange-parts.ts';

export function endpointSettings(configuration: Configuration, proxies: () => number): EndpointSettings {
  return {
    health: {
      ...DEFAULT_HEALTH_SETTINGS,
      failedRequests: configuration.ejectionFailures,
      baseEjectionMs: configuration.ejectionMs,
    },
    slowStartMs: configuration.slowStartMs,
    connectTimeoutMs: configuration.connectTimeoutMs,
    streamIdleTimeoutMs: configuration.streamIdleTimeoutMs,
    concurrency: configuration.podConcurrency,
    proxies,
  };
}

export function exchangeSettings(configuration: Configuration): ExchangeSettings {
  const { hedgePercentile } = configuration;
  return {
    deadlines: {
      defaultMs: configuration.requestTimeoutMs,
      minMs: configuration.minRequestTimeoutMs,
      maxMs: configuration.maxRequestTimeoutMs,
    },
    body: { maxBytes: configuration.maxBodyBytes, bufferedBytes: configuration.bufferedBodyBytes },
    stickyHeader: configuration.stickyHeader,
    trustedHops: configuration.trustedHops,
    maxTries: configuration.maxTries,
    tryTimeoutMs: configuration.tryTimeoutMs,
    hedgeQuantile: hedgePercentile === undefined ? undefined : hedgePercentile / 100,
  };
}
