/** docs/configuration.md, rendered from the table of variables and the limits of the API. */

import { MAX_LINE_LENGTH, MAX_TEXT_FILE_BYTES } from '@ragscale/retrieval/document-files';
import { MAX_TOTAL_BYTES } from '@ragscale/retrieval/documents';
import { renderVariables } from '@ragscale/service/environment';
import {
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_BODY_BYTES,
  MAX_HEADER_BYTES,
  MAX_OPENAI_BODY_BYTES,
  REQUEST_TIMEOUT_MS,
} from '@ragscale/service/http-limits';
import { TRACING_VARIABLES } from '@ragscale/service/tracing-settings';
import { VARIABLES } from './configuration.ts';
import { LIMITS } from './generation.schema.ts';
import { CHAT_LIMITS } from './openai/chat.schema.ts';
import { EMBEDDINGS_LIMITS } from './openai/embeddings.schema.ts';

/** The whole page in Markdown. */
export function renderConfigurationPage(): string {
  return `# Configuration

A pod is configured by environment variables. They are checked before anything starts: every bad one is listed with what
may stand there, and the process ends with code 1. An empty variable counts as unset. Unknown names that begin with
\`RAG_\` are warned about. \`--variant\` on the command line stands before \`VARIANT\`, for scripts that name one.

${renderVariables(VARIABLES)}

## Traces

One OpenTelemetry trace for each request, its stages as spans, where an endpoint is set; the log line has its id. Without an endpoint nothing of it
is loaded. The names are OpenTelemetry's own; where one has \`OTLP\` in it, \`OTLP_TRACES\` in its place is taken first.

${renderVariables(TRACING_VARIABLES)}

## Limits of a request

| what | limit | beyond it |
|---|---|---|
| request line and headers | ${MAX_HEADER_BYTES} bytes | 431 \`headers_too_large\` |
| body | ${MAX_BODY_BYTES} bytes; ${MAX_OPENAI_BODY_BYTES} under \`/v1/\` | 413 \`payload_too_large\` |
| time to send the headers; the whole request | ${HEADERS_TIMEOUT_MS} ms; ${REQUEST_TIMEOUT_MS} ms | 408 \`request_timeout\` |
| idle connection | ${KEEP_ALIVE_TIMEOUT_MS} ms | closed |
| \`query\` | ${LIMITS.queryLength} characters (UTF-16 code units), and the tokens of the embedder | 400 \`invalid_request\`; 400 \`context_length_exceeded\` |
| \`k\` | an integer from 1 to ${LIMITS.k} | 400 \`invalid_request\` |
| \`max_tokens\` | an integer from 1; together with the prompt at most the context | 400 \`invalid_request\`; 400 \`context_length_exceeded\` |
| \`temperature\` | from 0 (greedy) to ${LIMITS.temperature} | 400 \`invalid_request\` |
| \`top_p\` | over 0, at most 1 | 400 \`invalid_request\` |
| \`top_k\` | an integer from 0 (all) to ${LIMITS.topK} | 400 \`invalid_request\` |
| \`stop\` | a string or up to ${LIMITS.stops}, each of 1 to ${LIMITS.stopLength} characters | 400 \`invalid_request\` |
| \`messages\` | 1 to ${CHAT_LIMITS.messages}, of ${CHAT_LIMITS.contentLength} characters of content together, and the context | 400 \`invalid_request\`; 400 \`context_length_exceeded\` |
| \`input\` | a string or 1 to ${EMBEDDINGS_LIMITS.inputs} of them, each of 1 to ${EMBEDDINGS_LIMITS.inputLength} characters, and the tokens of the embedder | 400 \`invalid_request\`; 400 \`context_length_exceeded\` |
| a reader of a stream | the deadline, until it has read all of the answer | the connection is closed |

## Limits of documents

| what | limit |
|---|---|
| a .txt or .md file | ${MAX_TEXT_FILE_BYTES} bytes |
| a line of a .jsonl file | ${MAX_LINE_LENGTH} characters (UTF-16 code units) |
| everything that \`DOCUMENTS\` names | ${MAX_TOTAL_BYTES} bytes |

Files are UTF-8. A folder is read with its subfolders, by name; links that lead out of it, hidden files and files of other
kinds are passed over. A file that cannot be used ends the pod at start, with the file's name and what to change.

This page is rendered from \`apps/rag/src/configuration.ts\`; a test keeps it so (\`npx vitest run apps/rag -u\` renders it again).
`;
}
