import { STATUS_CODES } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorEntry, ServiceError } from './error-catalogue.ts';
import { renderErrorPage } from './error-documentation.ts';

describe('the catalogue of errors', () => {
  it('fills the values into the message and keeps the one shape', () => {
    const error = new ServiceError('deadline_exceeded', { deadlineMs: 250 });
    expect(error.status).toBe(504);
    expect(error.toBody()).toEqual({
      error: {
        message: 'no answer within the deadline of 250 ms',
        type: 'timeout_error',
        code: 'deadline_exceeded',
        param: null,
      },
    });
  });

  it('does not expand placeholders or patterns that come with a value', () => {
    const error = new ServiceError('invalid_request', { detail: '{detail} $& $1' }, { param: 'query' });
    expect(error.toBody().error).toMatchObject({ message: '{detail} $& $1', param: 'query' });
  });

  it('sends Retry-After as whole seconds, at least one, and lets an error know better', () => {
    expect(new ServiceError('queue_full', { detail: 'full' }).headers).toEqual({ 'retry-after': '1' });
    expect(new ServiceError('queue_full', { detail: 'full' }, { retryAfterSeconds: 2.2 }).headers).toEqual({
      'retry-after': '3',
    });
    expect(new ServiceError('queue_full', { detail: 'full' }, { retryAfterSeconds: 0 }).headers).toEqual({
      'retry-after': '1',
    });
    expect(new ServiceError('not_found', {}).headers).toEqual({});
  });

  it('has a real status, a type that fits it, and Retry-After where a later attempt helps', () => {
    for (const [code, entry] of Object.entries<ErrorEntry>(ERRORS)) {
      expect(STATUS_CODES[entry.status], code).toBeDefined();
      expect(entry.type === 'server_error' || entry.status === 504, code).toBe(entry.status >= 500);
      expect(entry.retryAfterSeconds !== undefined, code).toBe(entry.status === 429 || entry.status === 503);
    }
  });

  it('is what docs/errors.md says', async () => {
    await expect(renderErrorPage()).toMatchFileSnapshot('../../../docs/errors.md');
  });
});
