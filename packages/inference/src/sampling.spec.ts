import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Candidates,
  candidateCount,
  logProbability,
  needsAllLogits,
  pickToken,
  seededRandom,
} from './sampling.ts';

/** What the graph's TopK gives: largest first, ties by lower id. */
function topOf(logits: readonly number[], k: number): Candidates {
  const row = Float32Array.from(logits);
  const order = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b).slice(0, k);
  return { ids: BigInt64Array.from(order, BigInt), values: Float32Array.from(order, (i) => row[i]!), logits: row };
}

const greedy = { temperature: 0, topP: 1, topK: 0 };

describe('pickToken', () => {
  it('is the arg-max at temperature 0, ties to the lower id', () => {
    expect(pickToken(topOf([1, 3, 3, 2], 1), greedy, () => 0.99)).toBe(1);
  });

  it('draws in proportion to exp(logit / temperature)', () => {
    const logits = [0, 1, 2, -1];
    const temperature = 0.7;
    const weights = logits.map((logit) => Math.exp(logit / temperature));
    const total = weights.reduce((a, b) => a + b);
    const random = seededRandom(1);
    const counts = [0, 0, 0, 0];
    const draws = 40_000;
    for (let i = 0; i < draws; i++) counts[pickToken(topOf(logits, 1), { temperature, topP: 1, topK: 0 }, random)]!++;
    // Five standard deviations of a binomial share; the seed makes it certain.
    weights.forEach((weight, token) => {
      const share = weight / total;
      expect(Math.abs(counts[token]! / draws - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / draws));
    });
  });

  it('never leaves the top k, nor the nucleus, as a naive sort has them', () => {
    const setting = fc.record({
      // Far enough apart that two different logits never have the same weight.
      logits: fc.array(
        fc.integer({ min: -200, max: 200 }).map((tenths) => tenths / 10),
        { minLength: 1, maxLength: 40 },
      ),
      topK: fc.integer({ min: 0, max: 10 }),
      topP: fc.float({ min: Math.fround(0.01), max: 1, noNaN: true }),
      temperature: fc.float({ min: Math.fround(0.05), max: 2, noNaN: true }),
      uniform: fc.float({ min: 0, max: Math.fround(0.9999), noNaN: true }),
    });
    fc.assert(
      fc.property(setting, ({ logits, topK, topP, temperature, uniform }) => {
        const settings = { temperature, topP, topK };
        const row = topOf(logits, candidateCount(settings, logits.length));
        const token = pickToken(row, settings, () => uniform);
        const order = [...topOf(logits, logits.length).ids].map(Number).slice(0, topK || undefined);
        const weights = order.map((id) =>
          Math.exp((Math.fround(logits[id]!) - Math.fround(logits[order[0]!]!)) / temperature),
        );
        const mass = weights.reduce((a, b) => a + b) * topP;
        let sum = 0;
        const nucleus = order.filter((_, place) => {
          const inside = place === 0 || sum < mass * (1 + 1e-9);
          sum += weights[place]!;
          return inside;
        });
        expect(nucleus).toContain(token);
      }),
      { numRuns: 500 },
    );
  });

  it('repeats with the same seed and differs with another', () => {
    const logits = Array.from({ length: 50 }, (_, i) => Math.sin(i));
    const settings = { temperature: 1, topP: 0.95, topK: 0 };
    const run = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 30 }, () => pickToken(topOf(logits, 1), settings, random));
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run(2 ** 40)).not.toEqual(run(0));
  });
});

it('asks for the whole row only where candidates cannot decide', () => {
  expect(needsAllLogits(greedy)).toBe(false);
  expect(needsAllLogits({ ...greedy, logprobs: true })).toBe(true);
  expect(needsAllLogits({ temperature: 1, topP: 0.9, topK: 0 })).toBe(true);
  expect(needsAllLogits({ temperature: 1, topP: 0.9, topK: 40 })).toBe(false);
  expect(candidateCount({ temperature: 1, topP: 1, topK: 500 }, 100)).toBe(100);
});

it('computes log-probabilities without overflow', () => {
  const logits = Float32Array.of(1000, 1000, 900);
  expect(logProbability(logits, 0)).toBeCloseTo(Math.log(0.5), 6);
  expect(logProbability(logits, 2)).toBeCloseTo(-100 - Math.log(2), 4);
});

it('draws evenly', () => {
  const random = seededRandom(3);
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) bins[Math.floor(random() * 10)]!++;
  for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
