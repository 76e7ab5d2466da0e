/** Thousands of requests while pods die, freeze, refuse and come back, and clients leave: nothing is lost, nothing is left over. */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { answerError, answerJson, type Behaviour, FakePod } from './fake-pod.ts';
import { IMPATIENT, startProxy, until } from './proxy-fixture.ts';

const REQUESTS = 2_000;
const AT_ONCE = 64;
const PODS = 5;
const SLOTS = 3;
const CAP = SLOTS + 1;
/** Of the event loop, in which a pod sees that a connection was closed before another came. */
const TURNS = 20;

/** Numbers from [0, 1) that are the same in every run: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A pod that can die and be there again, at the same address. */
class StormPod {
  current: FakePod;
  /** Requests that it had at once, without those whose client had left already when the next one came. */
  mostHeld = 0;
  frozen = false;
  readonly #random: () => number;

  constructor(pod: FakePod, random: () => number) {
    this.current = pod;
    this.#random = random;
    pod.behaviour = this.#behaviour;
  }

  async restart(): Promise<void> {
    const { port } = this.current;
    await this.current.kill();
    await sleep(this.#random() * 60);
    this.current = await FakePod.start({ slots: SLOTS, port });
    this.current.behaviour = this.#behaviour;
  }

  freeze(frozen: boolean): void {
    this.frozen = frozen;
    this.current.readiness = frozen ? 'silent' : 'ready';
  }

  readonly #behaviour: Behaviour = async (asked, response, request) => {
    const pod = this.current;
    for (let turn = 0; turn === 0 || (turn < TURNS && pod.inFlight > CAP); turn += 1) await setImmediate();
    this.mostHeld = Math.max(this.mostHeld, pod.inFlight);
    const chance = this.#random();
    if (this.frozen || chance < 0.005) return;
    await sleep(this.#random() * 12);
    if (chance < 0.03) return answerError(500, 'internal')(asked, response, request);
    if (chance < 0.06) return answerError(429, 'queue_full', { 'retry-after': '0' })(asked, response, request);
    if (chance < 0.08) return void response.socket?.resetAndDestroy();
    if (chance < 0.09) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
      response.write('{');
      await sleep(2);
      return void response.socket?.resetAndDestroy();
    }
    if (!asked.body.includes('"stream":true')) return answerJson(asked, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let token = 0; token < 4; token += 1) {
      response.write('event: token\ndata: {"text":"a"}\n\n');
      await sleep(this.#random() * 4);
      if (this.#random() < 0.005) return void response.socket?.resetAndDestroy();
    }
    response.end('event: done\ndata: {}\n\n');
  };
}

/** One thing after the other happens to one of the pods, until the end. */
async function trouble(pods: readonly StormPod[], random: () => number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep(30 + random() * 60);
    const pod = pods[Math.floor(random() * pods.length)]!;
    const kind = random();
    if (kind < 0.5) await pod.restart();
    else if (kind < 0.75) {
      pod.freeze(true);
      await sleep(350);
      pod.freeze(false);
    } else {
      pod.current.readiness = 'draining';
      await sleep(80);
      pod.current.readiness = 'ready';
    }
  }
}

it('survives a storm', async () => {
  const random = seeded(7);
  const pods = await Promise.all(
    Array.from({ length: PODS }, async (_, at) => new StormPod(await FakePod.start({ slots: SLOTS }), seeded(at))),
  );
  await using proxy = await startProxy(
    pods.map(({ current }) => current),
    {
      ...IMPATIENT,
      BUFFERED_BODY_BYTES: '10000',
      EJECTION_MS: '200',
      RETRY_BUDGET_PERCENT: '100',
      HEDGE_PERCENTILE: '90',
    },
  );
  const outcomes: Record<string, number> = {};
  let sent = 0;
  let ended = 0;

  const one = async (): Promise<string> => {
    const stream = random() < 0.4;
    const body = { query: 'x'.repeat(random() < 0.05 ? 20_000 : 20), stream };
    const deadline = random() < 0.15 ? String(Math.ceil(random() * 40)) : '3000';
    const signal = random() < 0.15 ? AbortSignal.timeout(Math.ceil(random() * 25)) : undefined;
    try {
      const response = await proxy.post(body, { 'x-request-timeout-ms': deadline }, signal);
      const text = await response.text();
      if (response.status !== 200) return String(response.status);
      if (!stream) return (JSON.parse(text) as { result: string }).result === 'r' ? 'answered' : 'wrong';
      const ends = text.match(/event: (done|error)\n/g) ?? [];
      return ends.length === 1 ? `stream ${ends[0]?.slice(7, -1)}` : `wrong: ${text.slice(-200)}`;
    } catch (error) {
      return signal?.aborted === true ? 'left' : `wrong: ${String(error)} ${String((error as Error).cause)}`;
    }
  };
  const client = async (): Promise<void> => {
    while (sent < REQUESTS) {
      sent += 1;
      const outcome = await one();
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      ended += 1;
    }
  };
  const clients = Promise.all(Array.from({ length: AT_ONCE }, client));
  await Promise.all([clients, trouble(pods, random, () => ended === REQUESTS)]);

  const allowed = ['answered', 'stream done', 'stream error', 'left', '429', '500', '502', '503', '504'];
  expect(Object.keys(outcomes).filter((outcome) => !allowed.includes(outcome))).toEqual([]);
  expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
  const good = (outcomes.answered ?? 0) + (outcomes['stream done'] ?? 0);
  expect(good).toBeGreaterThan(REQUESTS / 3);

  await until(() => proxy.proxy.held.requests === 0);
  expect(proxy.proxy.held.bodyBytes).toBe(0);
  const metrics = (await proxy.metrics()).split('\n');
  const sumOf = (name: string): number =>
    metrics.filter((line) => line.startsWith(`${name}{`)).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
  expect(sumOf('ragscale_proxy_waiting')).toBe(0);
  expect(sumOf('ragscale_proxy_in_flight')).toBe(0);
  expect(sumOf('ragscale_proxy_requests_total')).toBe(sumOf('ragscale_proxy_arrivals_total'));
  const report = (await (await fetch(`${proxy.adminUrl}/endpoints`)).json()) as {
    routes: { default: { inFlight: number }[] };
  };
  expect(report.routes.default.map(({ inFlight }) => inFlight)).toEqual(Array(PODS).fill(0));
  for (const { mostHeld } of pods) expect(mostHeld).toBeLessThanOrEqual(CAP);
  for (const { current } of pods) {
    await until(() => current.inFlight === 0);
    await current.kill();
  }
});
