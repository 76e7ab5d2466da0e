/** The body of a request: kept whole while it is small, so that it can be sent again; passed through where it is larger. */
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { ServiceError } from '@ragscale/service/error-catalogue';

export interface BodyLimits {
  /** Of one body; more is a 413. */
  readonly maxBytes: number;
  /** Of one body that is kept whole. */
  readonly bufferedBytes: number;
}

/** What all bodies that are kept may take together. */
export class BodyBudget {
  readonly #limit: number;
  #used = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

export interface ReadBody {
  /** A stream can be sent once only. */
  readonly body: Buffer | Readable | null;
  /** Bytes that are kept, to be given back to the budget. */
  readonly keptBytes: number;
}

/** @returns the declared length; NaN where the body is chunked, 0 where there is none */
export function declaredBytes({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.NaN;
  return headers['content-length'] === undefined ? 0 : Number(headers['content-length']);
}

/** @throws ServiceError payload_too_large, before anything was read */
export function refuseTooLarge(request: IncomingMessage, { maxBytes }: BodyLimits): void {
  if (declaredBytes(request) > maxBytes) throw tooLarge(maxBytes);
}

/** One of both is called once, unless the client goes before. */
export interface BodyListener {
  onRead(read: ReadBody): void;
  /** payload_too_large, or queue_full where the budget of all is used up; nothing is kept then. */
  onRefused(error: ServiceError): void;
}

/**
 * Reads until the end, or until it is too much to keep.
 * @returns ends the reading, and nothing is kept; no effect once the listener was called
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  budget: BodyBudget,
  listener: BodyListener,
): () => void {
  const parts: Buffer[] = [];
  let bytes = 0;
  let reading = true;
  const stop = (): void => {
    reading = false;
    request.off('data', onData);
    request.off('end', onEnd);
    request.off('close', giveUp);
  };
  // Gone before it has come whole, or not wanted any more.
  const giveUp = (): void => {
    if (!reading) return;
    stop();
    parts.length = 0;
    budget.give(bytes);
  };
  const refuse = (error: ServiceError): void => {
    giveUp();
    request.pause();
    listener.onRefused(error);
  };
  const onData = (chunk: Buffer): void => {
    if (bytes + chunk.length > limits.maxBytes) {
      refuse(tooLarge(limits.maxBytes));
      return;
    }
    if (!budget.take(chunk.length)) {
      refuse(tooMuchKept());
      return;
    }
    bytes += chunk.length;
    parts.push(chunk);
    if (bytes <= limits.bufferedBytes) return;
    stop();
    request.pause();
    listener.onRead({ body: passThrough(request, parts, bytes, limits.maxBytes), keptBytes: bytes });
  };
  const onEnd = (): void => {
    stop();
    listener.onRead({
      body: parts.length === 1 ? parts[0]! : bytes === 0 ? null : Buffer.concat(parts, bytes),
      keptBytes: bytes,
    });
  };
  request.on('data', onData);
  request.on('end', onEnd);
  request.on('close', giveUp);
  return giveUp;
}

/** What was read and what is still to come, with back-pressure up to the client. */
function passThrough(request: IncomingMessage, parts: readonly Buffer[], read: number, maxBytes: number): Readable {
  let bytes = read;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? tooLarge(maxBytes) : null, chunk);
    },
  });
  counted.push(Buffer.concat(parts, read));
  request.on('close', () => {
    if (!request.complete) counted.destroy(new ServiceError('malformed_http', { detail: 'the body ends early' }));
  });
  request.pipe(counted);
  return counted;
}

function tooLarge(limitBytes: number): ServiceError {
  return new ServiceError('payload_too_large', { limitBytes });
}

function tooMuchKept(): ServiceError {
  const detail = 'the bodies of the requests that wait are all that the proxy may keep';
  return new ServiceError('queue_full', { detail });
}
