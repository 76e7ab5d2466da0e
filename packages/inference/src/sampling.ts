/** Which token comes next, given a row of logits: greedy, or drawn by temperature, top-k and top-p. Pure. */
import type { GenerationSettings } from './engine-api.ts';

/** What the graph found for one row: the `k` largest logits, and the whole row where somebody needs it. */
export interface Candidates {
  /** Token ids, most likely first, ties by lower id. */
  readonly ids: BigInt64Array;
  readonly values: Float32Array;
  /** Every logit of the row, by token id. Only present where `needsAllLogits`. */
  readonly logits?: Float32Array;
}

type Sampling = Pick<GenerationSettings, 'temperature' | 'topP' | 'topK' | 'logprobs'>;

/** How many candidates a row needs from the graph; 1 is the arg-max. */
export function candidateCount(settings: Sampling, vocabulary: number): number {
  return settings.temperature === 0 ? 1 : Math.min(Math.max(settings.topK, 1), vocabulary);
}

/** Whether the candidates alone cannot decide: drawing over the whole vocabulary, or log-probabilities. */
export function needsAllLogits(settings: Sampling): boolean {
  return settings.logprobs === true || (settings.temperature > 0 && settings.topK === 0);
}

/** @param random uniform in [0, 1) */
export function pickToken(row: Candidates, settings: Sampling, random: () => number): number {
  if (settings.temperature === 0) return Number(row.ids[0]);
  const ids = settings.topK > 0 ? Array.from(row.ids.subarray(0, settings.topK), Number) : undefined;
  const logits = ids ? row.values.subarray(0, ids.length) : row.logits!;
  const weights = temperedWeights(logits, settings.temperature);
  const place = settings.topP < 1 ? drawNucleus(weights, settings.topP, random()) : draw(weights, random());
  return ids ? ids[place]! : place;
}

/** Natural logarithm of the probability of `token` at temperature 1. */
export function logProbability(logits: Float32Array, token: number): number {
  const largest = max(logits);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return logits[token]! - largest - Math.log(sum);
}

/** exp((logit - largest) / temperature): probabilities up to a factor. */
function temperedWeights(logits: Float32Array, temperature: number): Float64Array {
  const largest = max(logits);
  const weights = new Float64Array(logits.length);
  for (let i = 0; i < logits.length; i++) weights[i] = Math.exp((logits[i]! - largest) / temperature);
  return weights;
}

function max(values: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

function draw(weights: Float64Array, uniform: number): number {
  let total = 0;
  for (const weight of weights) total += weight;
  let rest = uniform * total;
  for (let i = 0; i < weights.length; i++) {
    rest -= weights[i]!;
    if (rest < 0) return i;
  }
  return weights.lastIndexOf(max64(weights));
}

/** Draws among the most likely entries that together reach `topP` of the whole. */
function drawNucleus(weights: Float64Array, topP: number, uniform: number): number {
  let total = 0;
  for (const weight of weights) total += weight;
  const order = nucleusOrder(weights, total * topP);
  let mass = 0;
  for (const place of order) mass += weights[place]!;
  let rest = uniform * mass;
  for (const place of order) {
    rest -= weights[place]!;
    if (rest < 0) return place;
  }
  return order[0]!;
}

/**
 * The fewest entries, largest first, that add up to `mass`. Sorting a whole vocabulary costs tens of milliseconds, so only entries
 * above a threshold are sorted, and the threshold falls until they suffice.
 */
function nucleusOrder(weights: Float64Array, mass: number): number[] {
  for (let threshold = 1e-2; ; threshold = threshold < 1e-12 ? 0 : threshold * 1e-2) {
    const kept: number[] = [];
    for (let i = 0; i < weights.length; i++) if (weights[i]! >= threshold) kept.push(i);
    kept.sort((a, b) => weights[b]! - weights[a]! || a - b);
    let sum = 0;
    for (let n = 0; n < kept.length; n++) {
      sum += weights[kept[n]!]!;
      if (sum >= mass) return kept.slice(0, n + 1);
    }
    if (threshold === 0) return kept;
  }
}

function max64(values: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

/**
 * Repeatable uniform numbers in [0, 1) from a 32-bit seed: sfc32 (Chris Doty-Humphrey, PractRand), seeded as its author does by
 * twelve rounds.
 */
export function seededRandom(seed: number): () => number {
  let [a, b, c, counter] = [0, seed | 0, Math.floor(seed / 2 ** 32) | 0, 1];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}
