/** Who may ask, and how often? */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newApiKey, renderKeyLine } from '@ragscale/service/api-keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { startProxy, until } from './proxy-fixture.ts';

const alice = newApiKey();
const bob = newApiKey();

describe('with a file of API keys', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ragscale-keys-'));
    file = path.join(folder, 'keys');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('only those whose key is in it are answered, and the pods do not see it', async () => {
    writeFileSync(file, `${renderKeyLine({ name: 'alice' }, alice.hash)}\n`);
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { API_KEYS_FILE: file });
    for (const headers of [{}, { authorization: `Bearer ${bob.key}` }, { authorization: `Basic ${alice.key}` }]) {
      const refused = await proxy.post({}, headers);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('invalid_api_key');
    }
    expect((await proxy.post({}, { authorization: `Bearer ${alice.key}` })).status).toBe(200);
    expect(pod.asked.length).toBe(1);
    expect(pod.asked[0]!.headers.authorization).toBeUndefined();
    expect(await proxy.metric('ragscale_proxy_arrivals_total{route="default"}')).toBe(4);
    expect(await proxy.metric('ragscale_proxy_requests_total{route="default",status="401"}')).toBe(3);
    const lines = (): unknown[] => proxy.log.filter(({ msg, status }) => msg === 'request' && status === 200);
    await until(() => lines().length === 1);
    expect(JSON.stringify(lines())).toContain('alice');
    expect(JSON.stringify(proxy.log)).not.toContain(alice.key);
  });

  it('nobody sends more than the rate of the key', async () => {
    writeFileSync(
      file,
      `${renderKeyLine({ name: 'alice', ratePerSecond: 0.01, burst: 2 }, alice.hash)}\n${renderKeyLine({ name: 'bob' }, bob.hash)}\n`,
    );
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod], { API_KEYS_FILE: file });
    const post = (key: string): Promise<Response> => proxy.post({}, { authorization: `Bearer ${key}` });
    expect([(await post(alice.key)).status, (await post(alice.key)).status]).toEqual([200, 200]);
    const refused = await post(alice.key);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(90);
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('rate_limit_exceeded');
    expect((await post(bob.key)).status).toBe(200);
    expect(await proxy.metric('ragscale_proxy_arrivals_total{route="default"}')).toBe(4);
  });
});

describe('without a file of API keys', () => {
  it('nobody is asked, and the header goes on to the pods', async () => {
    await using pod = await FakePod.start();
    await using proxy = await startProxy([pod]);
    await proxy.post({}, { authorization: 'Bearer for-the-pod' });
    expect(pod.asked[0]!.headers.authorization).toBe('Bearer for-the-pod');
  });
});
