/** Does a paced pod take as long as a pod of the simulator? In virtual time. */
import { CancelledError, EngineClosedError } from '@ragscale/inference/errors';
import { Pod } from '@ragscale/scaling/simulator/pod';
import { seededRandom } from '@ragscale/scaling/simulator/random';
import { MEASURED_CURVES, progressRates } from '@ragscale/scaling/simulator/service-curve';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PacedEngine } from './engine.ts';

const CURVE = MEASURED_CURVES['w8a8-16'];
const TOKEN_MS = 5;
const SETTINGS = { temperature: 0, topP: 1, topK: 0, stop: [] };

interface Asked {
  readonly atMs: number;
  readonly tokens: number;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'], loopLimit: 1e6 });
});
afterEach(() => {
  vi.useRealTimers();
});

const engineOf = (slots: number, stride = 1) => new PacedEngine({ slots }, { tokenMs: TOKEN_MS, curve: CURVE, stride });

/** Gaps and lengths that chance decides, so dense that slots fill and a line forms. */
function load(count: number, seed: number): Asked[] {
  const random = seededRandom(seed, 0);
  let atMs = 0;
  return Array.from({ length: count }, () => {
    atMs += -250 * Math.log(1 - random());
    return { atMs, tokens: 1 + Math.floor(400 * random()) };
  });
}

/** When each is done by the simulator's reckoning. */
function simulated(asked: readonly Asked[], slots: number): number[] {
  const pod = new Pod({ id: 0, createdAt: 0, rates: progressRates(CURVE, slots), slowdown: 1, proxies: 1 });
  const works = Float64Array.from(asked, ({ tokens }) => tokens * TOKEN_MS);
  const doneAt: number[] = [];
  let next = 0;
  while (doneAt.filter(() => true).length < asked.length) {
    const arrivesAt = asked[next]?.atMs ?? Number.POSITIVE_INFINITY;
    const finishesAt = pod.nextDoneAt();
    if (finishesAt <= arrivesAt) {
      doneAt[pod.finish(finishesAt)] = finishesAt;
      pod.startNext(works, finishesAt);
    } else {
      pod.accept(next, works[next]!, arrivesAt);
      next += 1;
    }
  }
  return doneAt;
}

async function paced(asked: readonly Asked[], slots: number, stride: number): Promise<number[]> {
  const engine = engineOf(slots, stride);
  const startedAt = performance.now();
  const answers = Promise.all(
    asked.map(async ({ atMs, tokens }) => {
      await new Promise((resolve) => setTimeout(resolve, atMs));
      const { tokens: made } = await engine.generate({ text: 'q' }, { ...SETTINGS, maxTokens: tokens });
      expect(made.length).toBeLessThanOrEqual(tokens);
      expect(made.length).toBeGreaterThan(tokens - stride);
      return performance.now() - startedAt;
    }),
  );
  await vi.runAllTimersAsync();
  const doneAt = await answers;
  await engine.close();
  return doneAt;
}

describe('a paced engine', () => {
  it.each([
    { slots: 1, stride: 1 },
    { slots: 4, stride: 1 },
    { slots: 16, stride: 1 },
    { slots: 16, stride: 4 },
  ])('answers when a simulated pod of $slots does, $stride tokens in a step', async ({ slots, stride }) => {
    const asked = load(200, 7);
    const expected = simulated(asked, slots);
    const found = await paced(asked, slots, stride);
    const stepMs = (stride * TOKEN_MS) / progressRates(CURVE, slots)[slots]!;
    const differences = found.map((ms, index) => ms - expected[index]!);
    const mean = differences.reduce((sum, ms) => sum + ms, 0) / differences.length;
    // One that comes waits until the step is done, and those behind it in the line for the rounding of those before.
    expect(Math.abs(mean)).toBeLessThan(1.5 * stepMs);
    expect(Math.max(...differences.map(Math.abs))).toBeLessThan(6 * stepMs);
    // They did share the pod: alone all of this would have been done much earlier, and one after the other much later.
    expect(Math.max(...expected)).toBeGreaterThan(asked.at(-1)!.atMs + 400 * TOKEN_MS);
  });

  it('gives the slot of one that is withdrawn to the next', async () => {
    const engine = engineOf(1);
    const withdrawal = new AbortController();
    const first = engine.generate({ text: 'q' }, { ...SETTINGS, maxTokens: 1_000_000 }, { signal: withdrawal.signal });
    const refused = expect(first).rejects.toThrow(CancelledError);
    const second = engine.generate({ text: 'q' }, { ...SETTINGS, maxTokens: 3 });
    await vi.advanceTimersByTimeAsync(100);
    withdrawal.abort();
    await refused;
    await vi.advanceTimersByTimeAsync(100);
    expect((await second).text).toBe(' word word word');
    await engine.close();
  });

  it('tells its text piece by piece', async () => {
    const engine = engineOf(2);
    const heard: unknown[] = [];
    const answer = engine.generate(
      { question: 'q', passages: ['a', 'b'] },
      { ...SETTINGS, maxTokens: 2, temperature: 1 },
      { onStart: ({ passagesUsed }) => heard.push(passagesUsed), onText: (piece) => heard.push(piece) },
    );
    await vi.runAllTimersAsync();
    expect(await answer).toMatchObject({ text: ' word word', finishReason: 'length' });
    expect(heard).toEqual([2, ' word', ' word']);
    await engine.close();
  });

  it('refuses everybody when it is closed', async () => {
    const engine = engineOf(1);
    const refused = expect(engine.generate({ text: 'q' }, { ...SETTINGS, maxTokens: 9 })).rejects.toThrow(
      EngineClosedError,
    );
    const closed = engine.close();
    await vi.runAllTimersAsync();
    await closed;
    await refused;
    await expect(engine.embed(['q'], 'query')).rejects.toThrow(EngineClosedError);
  });
});
