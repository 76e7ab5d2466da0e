/** What a client gets through the proxy when all is well. */
import { describe, expect, it } from 'vitest';
import { FakePod } from './fake-pod.ts';
import { startProxy } from './proxy-fixture.ts';

describe('a request through the proxy', () => {
  it('goes to the pods in turn and comes back as the pod answered it', async () => {
    await using one = await FakePod.start();
    await using two = await FakePod.start();
    await using proxy = await startProxy([one, two]);
    for (let round = 0; round < 4; round += 1) {
      const response = await proxy.post({ query: `number ${round}` });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ query: 'q', result: 'r', sources: [] });
    }
    expect([one.asked.length, two.asked.length]).toEqual([2, 2]);
    expect(
      one.asked
        .concat(two.asked)
        .map(({ body }) => JSON.parse(body).query)
        .sort(),
    ).toEqual(['number 0', 'number 1', 'number 2', 'number 3']);
  });
});
