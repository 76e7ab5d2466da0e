import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { expect, it } from 'vitest';
import { textOf } from './answer-text.ts';

const body = () => Readable.from([Buffer.from('gr'), Buffer.from('ün').subarray(0, 1), Buffer.from('ün').subarray(1)]);

it('is whole, wherever the pieces end, up to so many bytes', async () => {
  expect(await textOf(body() as Dispatcher.ResponseData['body'], 5)).toBe('grün');
  await expect(textOf(body() as Dispatcher.ResponseData['body'], 4)).rejects.toThrow('longer than 4 bytes');
});
