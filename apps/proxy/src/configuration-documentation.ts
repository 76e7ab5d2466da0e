/** docs/configuration-proxy.md, rendered from the table of variables and the limits of the server. */
import { renderVariables } from '@ragscale/service/environment';
import {
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_HEADER_BYTES,
  REQUEST_TIMEOUT_MS,
} from '@ragscale/service/http-limits';
import { TRACING_VARIABLES } from '@ragscale/service/tracing-settings';
import { VARIABLES } from './configuration.ts';

/** The whole page in Markdown. */
export function renderConfigurationPage(): string {
  return `# Configuration of the proxy

The proxy is configured by environment variables. They are checked before anything starts: every bad one is listed with what
may stand there, and the process ends with code 1. An empty variable counts as unset.

${renderVariables(VARIABLES)}

## Backends

    BACKENDS=http://127.0.0.1:8000,http://127.0.0.1:8001?weight=2
    BACKENDS=dns://rag.example:8000
    BACKENDS=k8s://rag/rag-batched:http
    BACKENDS="batched*9=k8s://rag-batched:http; baseline=k8s://rag-baseline:http"

A route has a name, a weight, and sources of pods. Requests are dealt to the routes by weight; the header \`X-Ragscale-Variant\` names one.
A weight of 0 is for a route that only the header chooses. Without a name there is one route, \`default\`.

## Traces

${renderVariables(TRACING_VARIABLES)}

## Limits of a request

| what | limit | beyond it |
|---|---|---|
| request line and headers | ${MAX_HEADER_BYTES} bytes | 431 \`headers_too_large\` |
| body | \`MAX_BODY_BYTES\` | 413 \`payload_too_large\` |
| time to send the headers; the whole request | ${HEADERS_TIMEOUT_MS} ms; ${REQUEST_TIMEOUT_MS} ms | 408 \`request_timeout\` |
| idle connection | ${KEEP_ALIVE_TIMEOUT_MS} ms | closed |
| deadline | \`X-Request-Timeout-Ms\`, between \`MIN_REQUEST_TIMEOUT_MS\` and \`MAX_REQUEST_TIMEOUT_MS\` | 504 \`deadline_exceeded\` |

This page is rendered from \`apps/proxy/src/configuration.ts\`; a test keeps it so (\`npx vitest run apps/proxy -u\` renders it again).
`;
}
