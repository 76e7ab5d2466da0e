/** Are the variables of the hub read as its own library reads them? */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { hubSettings } from './settings.ts';

const home = mkdtempSync(path.join(tmpdir(), 'ragscale-hub-'));
afterAll(() => rmSync(home, { recursive: true }));

it('goes to huggingface.co without a token when nothing is set', () => {
  expect(hubSettings({}, home)).toEqual({
    endpoint: 'https://huggingface.co',
    cache: path.join(home, '.cache/huggingface/hub'),
    offline: false,
    responseTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
  });
});

it.each([
  [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
  [{ XDG_CACHE_HOME: '/x', HF_HOME: '/h' }, '/h/hub'],
  [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
  [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new' }, '/new'],
  [{ HF_HOME: '~/h' }, path.join(home, 'h/hub')],
])('finds the cache of %o in %s', (environment, cache) => {
  expect(hubSettings(environment, home).cache).toBe(cache);
});

it.each([
  [
    { HF_TOKEN: 'new', HUGGING_FACE_HUB_TOKEN: 'old' },
    { value: 'new', from: 'HF_TOKEN' },
  ],
  [
    { HF_TOKEN: ' ', HUGGING_FACE_HUB_TOKEN: 'old' },
    { value: 'old', from: 'HUGGING_FACE_HUB_TOKEN' },
  ],
  [{ HF_TOKEN_PATH: path.join(home, 'mine') }, { value: 'filed', from: path.join(home, 'mine') }],
  [{ HF_TOKEN: 'x', HF_HUB_DISABLE_IMPLICIT_TOKEN: 'true' }, undefined],
  [{ HF_TOKEN_PATH: path.join(home, 'nowhere') }, undefined],
])('takes the token of %o', (environment, token) => {
  writeFileSync(path.join(home, 'mine'), 'filed\n');
  expect(hubSettings(environment, home).token).toEqual(token);
});

it.each([
  [{ HF_HUB_OFFLINE: '1' }, true],
  [{ HF_HUB_OFFLINE: '0' }, false],
  [{ HF_HUB_OFFLINE: 'false' }, false],
  [{ TRANSFORMERS_OFFLINE: 'ON' }, true],
])('is offline with %o: %s', (environment, offline) => {
  expect(hubSettings(environment, home).offline).toBe(offline);
});

it('refuses what can be no endpoint and no token', () => {
  expect(() => hubSettings({ HF_ENDPOINT: 'hub.example' }, home)).toThrow(
    'HF_ENDPOINT is hub.example: an address with http',
  );
  expect(() => hubSettings({ HF_ENDPOINT: 'file:///etc' }, home)).toThrow('HF_ENDPOINT is file:///etc');
  expect(() => hubSettings({ HF_TOKEN: 'a\nb' }, home)).toThrow('the token of HF_TOKEN is not one');
  expect(hubSettings({ HF_ENDPOINT: 'https://mirror.example/hf/' }, home).endpoint).toBe('https://mirror.example/hf');
});

it('takes the hub’s own time limits, in seconds', () => {
  const settings = hubSettings({ HF_HUB_ETAG_TIMEOUT: '3', HF_HUB_DOWNLOAD_TIMEOUT: 'soon' }, home);
  expect(settings).toMatchObject({ responseTimeoutMs: 3000, idleTimeoutMs: 10_000 });
});
