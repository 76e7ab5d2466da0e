/** The proxy in front of real pods with real models, while they come and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type PodProcess, startProcess } from '../../../test/support/pod-process.ts';
import { eventsOf } from '../../../test/support/raw-client.ts';
import { IMPATIENT, type ProxyFixture, startProxy, until } from './proxy-fixture.ts';

const QUESTION = { query: 'Which animals can hover in the air?' };
const ANSWER = 'Hummingbirds can hover in mid-air by rapidly flapping their wings.';

const running: PodProcess[] = [];
afterEach(async () => {
  for (const pod of running.splice(0)) {
    pod.child.kill('SIGCONT');
    await pod.stop();
  }
});

async function startPods(count: number): Promise<PodProcess[]> {
  const pods = await Promise.all(Array.from({ length: count }, () => startProcess({ env: { VARIANT: 'batched' } })));
  running.push(...pods);
  return pods;
}

/** Ten questions a second, every third as a stream, until told to stop. @returns what each came to */
async function askOn(proxy: ProxyFixture, stop: AbortSignal): Promise<string[]> {
  const outcomes: Promise<string>[] = [];
  for (let index = 0; !stop.aborted; index += 1) {
    outcomes.push(outcomeOf(proxy, index % 3 === 0));
    await sleep(100);
  }
  return Promise.all(outcomes);
}

async function outcomeOf(proxy: ProxyFixture, stream: boolean): Promise<string> {
  const response = await proxy.post({ ...QUESTION, stream });
  const text = await response.text();
  if (response.status !== 200) return `${response.status} ${text}`;
  if (!stream) return (JSON.parse(text) as { result: string }).result;
  const events = eventsOf(text);
  if (events.at(-1)?.name === 'error') return 'error event';
  const pieces = events.filter(({ name }) => name === 'token').map(({ data }) => JSON.parse(data).text as string);
  return pieces.join('').trim();
}

describe('two real pods', () => {
  it('answer in turn, and tell the proxy what they can take', async () => {
    const pods = await startPods(2);
    await using proxy = await startProxy(pods);
    const outcomes = await Promise.all([false, true, false, true].map((stream) => outcomeOf(proxy, stream)));
    expect(outcomes).toEqual(Array(4).fill(ANSWER));
    const { routes } = (await (await fetch(`${proxy.adminUrl}/endpoints`)).json()) as {
      routes: { default: { cap: number }[] };
    };
    expect(routes.default.map(({ cap }) => cap)).toEqual([17, 17]);
    for (const pod of pods) expect(pod.log.filter(({ msg }) => msg === 'request')).toHaveLength(2);
  });

  it('lose no request when one is killed, another drained, and one frozen', { timeout: 120_000 }, async () => {
    const [killed, drained, frozen] = (await startPods(3)) as [PodProcess, PodProcess, PodProcess];
    await using proxy = await startProxy([killed, drained, frozen], IMPATIENT);
    const stop = new AbortController();
    const asking = askOn(proxy, stop.signal);
    await sleep(1_000);
    killed.child.kill('SIGKILL');
    await sleep(1_500);
    frozen.child.kill('SIGSTOP');
    await sleep(2_500);
    frozen.child.kill('SIGCONT');
    await until(async () => Object.values(await proxy.states()).filter((state) => state === 'healthy').length === 2);
    expect(await drained.stop()).toBe(0);
    await sleep(1_000);
    stop.abort();
    const outcomes = await asking;
    // A stream whose pod was killed in its middle is the only thing that may end otherwise.
    const others = outcomes.filter((outcome) => outcome !== ANSWER);
    expect(others.filter((outcome) => outcome !== 'error event')).toEqual([]);
    expect(others.length).toBeLessThanOrEqual(2);
    expect(outcomes.length).toBeGreaterThan(40);
  });
});
