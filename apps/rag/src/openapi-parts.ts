/** What every path of the OpenAPI document is made of: parameters, contents, errors. */
import { ERRORS, type ErrorCode } from '@ragscale/service/error-catalogue';

/** What any path can answer that has a body and asks the engine. */
export const ANSWERING_ERRORS: readonly ErrorCode[] = [
  'invalid_json',
  'invalid_request',
  'unsupported',
  'context_length_exceeded',
  'payload_too_large',
  'unsupported_media_type',
  'queue_full',
  'internal',
  'generator_failed',
  'generator_unavailable',
  'not_ready',
  'draining',
  'deadline_exceeded',
];

export const REQUEST_HEADERS = [
  parameter('X-Request-Id', 'Up to 128 of A-Z a-z 0-9 . _ -; generated where absent or otherwise.', { type: 'string' }),
  parameter('X-Request-Timeout-Ms', 'Deadline in milliseconds, clamped to what the server allows.', {
    type: 'integer',
    minimum: 1,
  }),
];

/** @param stages those that the answer spends its time in */
export function responseHeaders(stages: readonly string[]) {
  return {
    'Server-Timing': {
      description: `Milliseconds: ${[...stages, 'total'].join(', ')}. On a stream those that are behind it when it begins.`,
      schema: { type: 'string' },
    },
    'X-Request-Id': { description: 'As in the log.', schema: { type: 'string' } },
  };
}

export function json(schema: object, example?: object) {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}

/** A stream of server-sent events: OpenAPI 3.1 has no words for its parts, so the schema is that of one event's data. */
export function eventStream(schema: object, example: string) {
  return { 'text/event-stream': { schema, example } };
}

export function errorResponses(codes: readonly ErrorCode[]) {
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

function parameter(name: string, description: string, schema: object) {
  return { name, in: 'header', required: false, description, schema };
}
