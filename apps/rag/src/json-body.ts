/** Reads request bodies: JSON in strict UTF-8, and nothing else. */
import { ServiceError } from '@ragscale/service/error-catalogue';
import { MAX_BODY_BYTES, MAX_OPENAI_BODY_BYTES } from '@ragscale/service/http-limits';
import type { FastifyInstance } from 'fastify';

/** Call before routes are added. */
export function acceptJsonOnly(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url.startsWith('/v1/')) route.bodyLimit = MAX_OPENAI_BODY_BYTES;
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES },
    (request, body, done) => {
      try {
        refuseOtherEncodings(request.headers['content-type'] ?? '', request.headers['content-encoding']);
        done(null, parseJson(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

/** @throws ServiceError invalid_json */
export function parseJson(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ServiceError('invalid_json', { detail: 'it is not UTF-8' }, { cause });
  }
  if (text.trim() === '') throw new ServiceError('invalid_json', { detail: 'it is empty; send a JSON object' });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServiceError('invalid_json', { detail: (cause as Error).message }, { cause });
  }
}

function refuseOtherEncodings(contentType: string, contentEncoding: string | undefined): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new ServiceError(
      'unsupported_media_type',
      { detail: 'the body must be in UTF-8' },
      { param: 'Content-Type' },
    );
  }
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') {
    throw new ServiceError(
      'unsupported_media_type',
      { detail: 'the body must be sent without Content-Encoding' },
      { param: 'Content-Encoding' },
    );
  }
}
