/** The OpenAPI document of a pod, made of the schemas that validate and of the catalogue of errors. */
import { ERRORS, type ErrorCode } from '@ragscale/service/error-catalogue';
import { z } from 'zod';
import { ragRequest, ragResponse } from './rag.schema.ts';

const errorBody = z.object({
  error: z.object({
    message: z.string().meta({ description: 'For people.' }),
    type: z.enum(['invalid_request_error', 'rate_limit_error', 'timeout_error', 'server_error']),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).meta({ description: 'For programs.' }),
    param: z.string().nullable().meta({ description: 'The field or header at fault.' }),
  }),
});

const status = z.object({ status: z.literal('ok') });

const RAG_ERRORS: readonly ErrorCode[] = [
  'invalid_json',
  'invalid_request',
  'unsupported',
  'context_length_exceeded',
  'payload_too_large',
  'unsupported_media_type',
  'internal',
  'not_ready',
  'draining',
  'deadline_exceeded',
];

const EXAMPLE = {
  request: { query: 'Which animals can hover in the air?', k: 1 },
  response: {
    query: 'Which animals can hover in the air?',
    result: 'Hummingbirds can hover in mid-air by rapidly flapping their wings.',
    sources: [
      { id: 'hummingbirds#1', score: 0.61, text: 'Hummingbirds can hover in mid-air by rapidly flapping their wings.' },
    ],
  },
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
          tags: ['answers'],
          parameters: [
            header('X-Request-Id', 'Up to 128 of A-Z a-z 0-9 . _ -; generated where absent or otherwise.', {
              type: 'string',
            }),
            header('X-Request-Timeout-Ms', 'Deadline in milliseconds, clamped to what the server allows.', {
              type: 'integer',
              minimum: 1,
            }),
          ],
          requestBody: {
            required: true,
            content: json(z.toJSONSchema(ragRequest, { io: 'input' }), EXAMPLE.request),
          },
          responses: {
            200: {
              description: 'The answer.',
              headers: {
                'Server-Timing': {
                  description: 'Milliseconds: queue, embed, retrieve, prefill, decode, total.',
                  schema: { type: 'string' },
                },
                'X-Request-Id': { description: 'As in the log.', schema: { type: 'string' } },
              },
              content: json(z.toJSONSchema(ragResponse), EXAMPLE.response),
            },
            ...errorResponses(RAG_ERRORS),
          },
        },
      },
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

function errorResponses(codes: readonly ErrorCode[]) {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([code, group]) => [
      code,
      {
        description: group.map((name) => `\`${name}\`: ${ERRORS[name].meaning}`).join('\n\n'),
        content: json({ $ref: '#/components/schemas/Error' }),
      },
    ]),
  );
}

function json(schema: object, example?: object) {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}

function header(name: string, description: string, schema: object) {
  return { name, in: 'header', required: false, description, schema };
}
