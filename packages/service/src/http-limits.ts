/** What one client may cost an HTTP server: sizes, times and counts. */
import type { Server, ServerOptions } from 'node:http';

/** Request line and headers together, in bytes; over it is a 431. */
export const MAX_HEADER_BYTES = 16_384;

/** Body in bytes; over it is a 413. A question of 8,192 characters fits four times over. */
export const MAX_BODY_BYTES = 65_536;

/** The same for /v1/*: whole conversations, and many texts at once. */
export const MAX_OPENAI_BODY_BYTES = 262_144;

/** A client has this long to send its headers, and its whole request: a slow one holds a connection no longer. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;

/** Longer than the idle time of common load balancers (60 s), so that they close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Node looks for slow clients this often. */
const CONNECTIONS_CHECK_MS = 1_000;

export const SERVER_OPTIONS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
  // Node would answer a missing Host with an empty 400; the servers here do it in the one shape.
  requireHostHeader: false,
} as const satisfies ServerOptions;

/** @param maxConnections connections beyond it are closed at once */
export function limitConnections(server: Server, maxConnections: number): void {
  server.maxConnections = maxConnections;
}
