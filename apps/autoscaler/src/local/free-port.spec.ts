import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort, PodPorts } from './free-port.ts';

const HOST = '127.0.0.1';

describe('the ports of pods', () => {
  it('go upwards, those of others left out, and are given out again', async () => {
    const base = (await freePort(0, HOST))!;
    const other = createServer().listen(base, HOST);
    await once(other, 'listening');
    expect(await freePort(base, HOST)).toBe(undefined);
    const ports = new PodPorts(base, HOST);
    const [one, two] = await Promise.all([ports.take(), ports.take()]);
    expect(one).toBeGreaterThan(base);
    expect(two).toBeGreaterThan(one);
    expect(await ports.take()).toBeGreaterThan(two);
    ports.giveBack(one);
    expect(await ports.take()).toBe(one);
    other.close();
    await once(other, 'close');
  });

  it('leave out those that are reserved', async () => {
    const base = (await freePort(0, HOST))!;
    expect(await new PodPorts(base, HOST).take()).toBe(base);
    expect(await new PodPorts(base, HOST, [base]).take()).toBeGreaterThan(base);
  });

  it('are any where the first may be any', async () => {
    const ports = new PodPorts(0, HOST);
    expect(await ports.take()).toBeGreaterThan(0);
  });
});
