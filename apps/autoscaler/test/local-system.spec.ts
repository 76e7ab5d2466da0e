/** The whole system on one computer, as `npm start` runs it: real processes, the models of the repository, real signals. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isAlive, LocalProcess } from './local-process.ts';

/** It decides often, and forgets soon. */
const QUICK = { PERIOD: '1s', WINDOWS: '2s,4s', SCALE_DOWN_WINDOW: '2s' };

/** Forty who ask again and again are too many for two of them, and not for one to answer one of them in time. */
const SMALL_PODS = { SLOTS: '1', OBJECTIVE: '500ms' };

/** A server that has nothing to do with us. */
async function takenPort(): Promise<AsyncDisposable & { readonly port: string }> {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const port = String((other.address() as AddressInfo).port);
  return { port, [Symbol.asyncDispose]: async () => void other.close() };
}

describe('a local system', () => {
  it('answers, grows under load, shrinks after it, and loses no request with a pod that is killed', async () => {
    await using other = await takenPort();
    await using system = new LocalProcess({ ...QUICK, ...SMALL_PODS, MAX_REPLICAS: '3', POD_PORT: other.port });
    const answer = await system.ask();
    expect(await answer.json()).toMatchObject({
      result: 'Hummingbirds can hover in mid-air by rapidly flapping their wings.',
    });
    expect(await system.healthyPods()).toBe(2);
    const autoscaler = await system.url('autoscalerUrl');
    for (const path of ['/livez', '/readyz']) expect((await fetch(`${autoscaler}${path}`)).status).toBe(200);

    let isOver = false;
    const load = system.load(40, () => isOver);
    await system.until(async () => (await system.healthyPods()) === 3, 'a third pod');
    const grown = await system.line('scaled');
    expect(grown).toMatchObject({ from: 2, to: 3 });
    const metrics = await (await fetch(`${autoscaler}/metrics`)).text();
    expect(metrics).toContain('ragscale_autoscaler_replicas{namespace="",name="local",kind="current"} 3\n');

    const [victim = 0] = system.pids('pod');
    const killedAt = system.lines.length;
    process.kill(victim, 'SIGKILL');
    await system.line(/^pod \d+ was ended by SIGKILL; it is started again/, killedAt);
    await system.until(() => system.pids('pod').length === 4, 'a pod in its place');
    await system.until(async () => (await system.healthyPods()) === 3, 'three pods again');
    isOver = true;
    const statuses = await load;
    expect(new Set(statuses)).toEqual(new Set([200]));

    await system.until(async () => (await system.healthyPods()) === 2, 'two pods');
    expect(system.lines.filter(({ msg }) => msg === 'scaled').at(-1)).toMatchObject({ to: 2 });
    await system.until(() => system.pids('pod').filter(isAlive).length === 2, 'the end of the third');
    expect((await system.ask()).status).toBe(200);
    expect(system.lines.filter(({ level }) => level === 'fatal')).toEqual([]);
  }, 120_000);

  it('without a pod starts one for the first who asks', async () => {
    await using system = new LocalProcess({ ...QUICK, MIN_REPLICAS: '0' });
    expect(await system.healthyPods()).toBe(0);
    expect((await system.ask()).status).toBe(200);
    expect(await system.line('scaled')).toMatchObject({ from: 0, to: 1 });
    system.child.stdout?.destroy();
    expect(await system.ended).toBe(0);
  });

  it('starts a proxy that was killed again, and told to end answers what it was asked first', async () => {
    await using system = new LocalProcess({ MIN_REPLICAS: '1', SLOTS: '1' });
    const metrics = `${await system.url('adminUrl')}/metrics`;
    process.kill(system.pids('proxy')[0]!, 'SIGKILL');
    await system.line(/^proxy was ended by SIGKILL; it is started again/);
    await system.until(async () => (await system.healthyPods()) === 1, 'the pod at the new proxy');

    const asked = Array.from({ length: 40 }, (_, index) => system.ask(`Number ${index}: which animals can hover?`));
    const arrived = 'ragscale_proxy_arrivals_total{route="default"} 40\n';
    await system.until(async () => (await (await fetch(metrics)).text()).includes(arrived), 'all that was asked');
    system.child.kill('SIGINT');
    // As npm does it, which passes on what the terminal has sent already.
    system.child.kill('SIGINT');
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(40).fill(200));
    expect(await system.ended).toBe(0);
    expect(system.lines.at(-1)?.msg).toBe('bye');
    expect(system.pids('').filter(isAlive)).toEqual([]);
  });
});

describe('a system that is told to end', () => {
  it('while it starts it ends', async () => {
    await using system = new LocalProcess();
    await system.until(() => system.pids('').length === 3, 'all processes');
    system.child.kill('SIGINT');
    expect(await system.ended).toBe(0);
    expect(system.errors).toBe('');
    expect(system.pids('').filter(isAlive)).toEqual([]);
  });

  it('twice it ends at once', async () => {
    await using system = new LocalProcess({ MIN_REPLICAS: '1', DRAIN_DELAY_MS: '600000' });
    await system.line('ready');
    system.child.kill('SIGINT');
    await system.line('shutting down');
    system.child.kill('SIGTERM');
    expect(await system.ended).toBe(1);
    expect(system.pids('').filter(isAlive)).toEqual([]);
  });

  it('by SIGKILL it leaves nobody behind', async () => {
    await using system = new LocalProcess({ MIN_REPLICAS: '1' });
    await system.line('ready');
    expect(system.pids('').filter(isAlive).length).toBe(2);
    system.child.kill('SIGKILL');
    await system.until(() => !system.pids('').some(isAlive), 'the end of all');
  });
});

describe('a system that cannot start', () => {
  async function failure(env: Record<string, string>): Promise<string> {
    await using system = new LocalProcess(env);
    expect(await system.ended).toBe(1);
    expect(system.pids('').filter(isAlive)).toEqual([]);
    return system.errors;
  }

  it('says which port is taken, and what to set', async () => {
    await using other = await takenPort();
    const { port } = other;
    const taken = `the port ${port} is taken by another process: set `;
    expect(await failure({ PORT: port })).toBe(`proxy ended with code 1:\n${taken}PORT or ADMIN_PORT to a free one\n`);
    expect(await failure({ AUTOSCALER_PORT: port })).toBe(`${taken}AUTOSCALER_PORT to a free one\n`);
  });

  it('says what the pod said', async () => {
    expect(await failure({ DOCUMENTS: 'nowhere' })).toMatch(
      /^pod \d+ ended with code 1:\nthe configuration has an error:\n {2}DOCUMENTS="nowhere": must be /,
    );
  });

  it('says what is wrong with a model before it starts anything', async () => {
    expect(await failure({ RAG_GENERATOR: 'nowhere' })).toMatch(
      /^the configuration has an error:\n {2}RAG_GENERATOR="nowhere": must be /,
    );
  });

  it('lists every bad variable', async () => {
    expect(await failure({ MAX_REPLICAS: '0', PORT: 'x' })).toMatch(/^the configuration has 2 errors:\n {2}PORT=/);
  });
});
