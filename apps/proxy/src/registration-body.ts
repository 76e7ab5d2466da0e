/** Which pod registers? Reads the body of /register and /unregister. */
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { ServiceError } from '@ragscale/service/error-catalogue';
import { z } from 'zod';

const MAX_BODY_BYTES = 4_096;

const byUrl = z.strictObject({ url: z.string().max(300) });
const byHost = z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) });

/**
 * `{"url": "http://host:port"}` or `{"host", "port"}`, as a URL, and the field that an error about it names. Whether pods can be there is
 * left to the registry.
 * @throws ServiceError invalid_json, invalid_request, unsupported_media_type, payload_too_large
 */
export async function readPodUrl(request: IncomingMessage): Promise<{ url: string; param: 'url' | 'host' }> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new ServiceError(
      'unsupported_media_type',
      { detail: 'the body must be sent with Content-Type: application/json' },
      { param: 'Content-Type' },
    );
  const body = parseJson(await readBody(request));
  const named = typeof body === 'object' && body !== null && 'host' in body;
  if (!named) return { url: checked(byUrl, body).url, param: 'url' };
  const { host, port } = checked(byHost, body);
  return { url: `http://${isIPv6(host) ? `[${host}]` : host}:${port}`, param: 'host' };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  // By hand: leaving a `for await` early would destroy the connection before it has its answer.
  return new Promise((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      length += part.length;
      if (length > MAX_BODY_BYTES) {
        request.pause();
        reject(new ServiceError('payload_too_large', { limitBytes: MAX_BODY_BYTES }));
      } else parts.push(part);
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', reject);
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ServiceError('invalid_json', { detail: 'it must be an object in UTF-8' }, { cause });
  }
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue?.path.join('.') ?? '';
  const detail = `${param === '' ? '' : `${param}: `}${issue?.message}; send {"url": "http://host:port"} or {"host", "port"}`;
  throw new ServiceError('invalid_request', { detail }, param === '' ? {} : { param });
}
