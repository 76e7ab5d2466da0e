/** The part of the OpenAPI document that OpenAI's clients speak: /v1. */
import { STAGES } from '@ragscale/service/metric-catalogue';
import { z } from 'zod';
import {
  ANSWERING_ERRORS,
  errorResponses,
  eventStream,
  json,
  REQUEST_HEADERS,
  responseHeaders,
} from '../openapi-parts.ts';
import { chatFields } from './chat.schema.ts';
import { chatChunk, chatResponse, chunksOf } from './chat-answer.ts';
import { REFUSED_FIELDS } from './chat-unsupported.ts';
import { embeddingsFields, embeddingsResponse } from './embeddings.schema.ts';
import { modelEntry, modelList } from './models.schema.ts';

const CHAT_EXAMPLE = {
  model: 'ragscale',
  messages: [{ role: 'user', content: 'Which animals can hover in the air?' }],
};
const chunks = chunksOf({ id: 'chatcmpl-6f1c0b1e', created: 1_760_000_000, model: 'tiny-rag-opt' }, false);
const STREAM_EXAMPLE = `${chunks.started([])}${chunks.text('Hummingbirds')}data: [DONE]\n\n`;

export function openAiPaths() {
  return {
    '/v1/chat/completions': {
      post: {
        operationId: 'chat',
        summary: 'Answer a conversation from the documents, as OpenAI’s chat completions',
        description: `Passages are looked for with the last question. Fields that are not known are ignored; these are refused where they ask for something: ${REFUSED_FIELDS.map((field) => `\`${field}\``).join(', ')}.`,
        tags: ['openai'],
        parameters: REQUEST_HEADERS,
        requestBody: { required: true, content: json(z.toJSONSchema(chatFields, { io: 'input' }), CHAT_EXAMPLE) },
        responses: {
          200: {
            description: 'The answer; with `stream` as chunks and a last `[DONE]`, or an error in its place.',
            headers: responseHeaders(STAGES),
            content: {
              ...json(z.toJSONSchema(chatResponse)),
              ...eventStream(z.toJSONSchema(chatChunk), STREAM_EXAMPLE),
            },
          },
          ...errorResponses(['model_not_found', ...ANSWERING_ERRORS]),
        },
      },
    },
    '/v1/embeddings': {
      post: {
        operationId: 'embed',
        summary: 'Vectors of texts, as OpenAI’s embeddings',
        tags: ['openai'],
        parameters: REQUEST_HEADERS,
        requestBody: {
          required: true,
          content: json(z.toJSONSchema(embeddingsFields, { io: 'input' }), {
            model: 'ragscale-embedder',
            input: ['Hummingbirds can hover.', 'Dogs are mammals.'],
          }),
        },
        responses: {
          200: {
            description: 'One vector per text, in order.',
            headers: responseHeaders(['queue', 'embed']),
            content: json(z.toJSONSchema(embeddingsResponse)),
          },
          ...errorResponses(['model_not_found', ...ANSWERING_ERRORS]),
        },
      },
    },
    '/v1/models': {
      get: {
        operationId: 'models',
        summary: 'Names that requests may give as `model`',
        tags: ['openai'],
        responses: {
          200: { description: 'The names.', content: json(z.toJSONSchema(modelList)) },
          ...errorResponses(['not_ready', 'draining']),
        },
      },
    },
    '/v1/models/{id}': {
      get: {
        operationId: 'model',
        summary: 'One of these names',
        tags: ['openai'],
        parameters: [
          {
            name: 'id',
            in: 'path',
            required: true,
            description: 'Slashes may stand as they are or as %2F.',
            schema: { type: 'string' },
          },
        ],
        responses: {
          200: { description: 'The model.', content: json(z.toJSONSchema(modelEntry)) },
          ...errorResponses(['model_not_found', 'not_ready', 'draining']),
        },
      },
    },
  };
}
