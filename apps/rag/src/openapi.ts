/** The OpenAPI document of a pod, made of the schemas that validate and of the catalogue of errors. */
import { ERRORS, type ErrorCode } from '@ragscale/service/error-catalogue';
import { STAGES } from '@ragscale/service/metric-catalogue';
import { z } from 'zod';
import { renderEvent } from './event-stream.ts';
import { openAiPaths } from './openai/openapi.ts';
import {
  ANSWERING_ERRORS,
  errorResponses,
  eventStream,
  json,
  REQUEST_HEADERS,
  responseHeaders,
} from './openapi-parts.ts';
import { RAG_EVENTS, ragRequest, ragResponse } from './rag.schema.ts';

const errorBody = z.object({
  error: z.object({
    message: z.string().meta({ description: 'For people.' }),
    type: z.enum(['invalid_request_error', 'rate_limit_error', 'timeout_error', 'server_error']),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).meta({ description: 'For programs.' }),
    param: z.string().nullable().meta({ description: 'The field or header at fault.' }),
  }),
});

const status = z.object({ status: z.literal('ok') });

const query = 'Which animals can hover in the air?';
const text = 'Hummingbirds can hover in mid-air by rapidly flapping their wings.';
const sources = [{ id: 'hummingbirds#1', score: 0.61, text }];

const EXAMPLE = {
  request: { query, k: 1 },
  response: { query, result: text, sources },
  events: [
    renderEvent({ query, sources }, 'sources'),
    renderEvent({ text: 'Hummingbirds' }, 'token'),
    renderEvent({ text: text.slice('Hummingbirds'.length) }, 'token'),
    renderEvent(
      {
        finish_reason: 'stop',
        usage: {
          prompt_tokens: 41,
          completion_tokens: 17,
          total_tokens: 58,
          prompt_tokens_details: { cached_tokens: 0 },
        },
        timings: { queue: 0.1, embed: 4.2, retrieve: 0.1, prefill: 6.3, decode: 21.5, total: 33.4 },
      },
      'done',
    ),
  ].join(''),
};

/** OpenAPI 3.1, whose schemas are JSON Schema 2020-12: just what zod writes. */
export function openApiDocument() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'ragscale pod',
      version: '0.1.0',
      description: 'Retrieval-augmented answers. Every error has one shape; `X-Request-Id` is accepted and echoed.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: {
      '/rag': {
        post: {
          operationId: 'answer',
          summary: 'Answer a question from the documents',
          description:
            'With `stream`, or `Accept: text/event-stream`, the answer comes as the events `sources`, `token` (any number of them) and `done`. What fails after `sources` is an event `error` with the body of an error, and ends the stream.',
          tags: ['answers'],
          parameters: REQUEST_HEADERS,
          requestBody: {
            required: true,
            content: json(z.toJSONSchema(ragRequest, { io: 'input' }), EXAMPLE.request),
          },
          responses: {
            200: {
              description: 'The answer.',
              headers: responseHeaders(STAGES),
              content: {
                ...json(z.toJSONSchema(ragResponse), EXAMPLE.response),
                ...eventStream(z.toJSONSchema(z.union(Object.values(RAG_EVENTS))), EXAMPLE.events),
              },
            },
            ...errorResponses(ANSWERING_ERRORS),
          },
        },
      },
      ...openAiPaths(),
      '/livez': probe('Is the process alive', []),
      '/readyz': probe('Should it get requests', ['not_ready', 'draining']),
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: 'Metrics in the text format of Prometheus',
          tags: ['operation'],
          responses: {
            200: { description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } },
          },
        },
      },
    },
    components: { schemas: { Error: z.toJSONSchema(errorBody) } },
  } as const;
}

function probe(summary: string, errors: readonly ErrorCode[]) {
  return {
    get: {
      operationId: summary.toLowerCase().replaceAll(' ', '-'),
      summary,
      tags: ['operation'],
      responses: { 200: { description: 'Yes.', content: json(z.toJSONSchema(status)) }, ...errorResponses(errors) },
    },
  };
}
