import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AutoscalerMetrics } from '@ragscale/service/autoscaler-metrics';
import { Lifecycle } from '@ragscale/service/lifecycle';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createAdministration } from './administration.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function start(periodMs = 5_000) {
  const lifecycle = new Lifecycle();
  const time = { now: 1_000, lastRoundAt: undefined as number | undefined };
  const server = createAdministration({
    lifecycle,
    metrics: new AutoscalerMetrics(),
    heartbeat: time,
    periodMs,
    now: () => time.now,
    logger: pino({ level: 'silent' }),
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  return { lifecycle, time, ask };
}

describe('the administration', () => {
  it('says when it is ready', async () => {
    const { ask, lifecycle } = await start();
    expect((await ask('/readyz')).status).toBe(503);
    lifecycle.advance('ready');
    expect(await ask('/readyz')).toEqual({ status: 200, text: '{"status":"ok"}' });
    lifecycle.advance('leaving');
    expect((await ask('/readyz')).status).toBe(503);
  });

  it('shows the metrics, and names its paths to who asks for another', async () => {
    const { ask } = await start();
    expect((await ask('/metrics')).text).toContain('ragscale_autoscaler_round_duration_seconds');
    expect(await ask('/')).toEqual({ status: 404, text: expect.stringContaining('/livez, /readyz, /metrics') });
  });
});

describe('liveness', () => {
  it('fails, with words, when no round has ended for a minute', async () => {
    const { ask, lifecycle, time } = await start();
    lifecycle.advance('ready');
    time.lastRoundAt = 5_000;
    time.now = 65_000;
    expect((await ask('/livez')).status).toBe(200);
    time.now = 66_000;
    const { status, text } = await ask('/livez');
    expect(status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'stalled', message: 'no round has ended for 61 s, though one begins every 5 s' },
    });
    time.lastRoundAt = 66_000;
    expect((await ask('/livez')).status).toBe(200);
  });

  it('waits for six periods where they are long', async () => {
    const { ask, lifecycle, time } = await start(60_000);
    lifecycle.advance('ready');
    time.now = 361_000;
    expect((await ask('/livez')).status).toBe(200);
    time.now = 362_000;
    expect((await ask('/livez')).status).toBe(500);
  });

  it('counts from the first moment where no round ever ends, and not before it is ready', async () => {
    const { ask, lifecycle, time } = await start();
    time.now = 500_000;
    expect((await ask('/livez')).status).toBe(200);
    lifecycle.advance('ready');
    expect((await ask('/livez')).status).toBe(500);
  });
});
