/** Is a row's answer the same to the bit whatever its neighbours, its slot and its way through the cache, in every precision? */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_PRECISIONS, built, type DecoderGolden, type EncoderGolden, FIXTURES, readGolden } from './golden.ts';
import { type DecoderResult, DecoderRunner, EncoderRunner } from './graph-runner.ts';
import { largestDifference } from './similarity.ts';

const DECODERS = ['opt-four-heads-f16', 'qwen2-untied-bf16', 'llama-scaled-f32'].flatMap((name) =>
  BUILT_PRECISIONS.map((precision) => [name, precision] as const),
);
const ENCODERS = ['bert-four-heads-bf16', 'xlm-roberta-four-heads-f16'].flatMap((name) =>
  BUILT_PRECISIONS.map((precision) => [name, precision] as const),
);
const SLOTS = 6;
const CONTEXT = 48;

describe.each(DECODERS)('decoder %s in %s', (name, precision) => {
  const checkpoint = path.join(FIXTURES, name);
  const prompts = readGolden<DecoderGolden>(checkpoint).prompts.map(({ ids }) => ids);
  const [first, second, third] = [prompts[0]!, prompts[1]!, prompts[2]!];
  let runner: DecoderRunner;
  beforeAll(async () => {
    runner = await DecoderRunner.open(await built(checkpoint, precision), SLOTS, CONTEXT);
  });
  afterAll(() => runner.close());

  const lastLogits = (result: DecoderResult) => result.logits.at(-1)!;

  it('prefills a row alone as among ragged neighbours at other slots', async () => {
    const alone = await runner.prefill([second], { slot: 0 });
    const together = await runner.prefill([first, second, third], { slot: 2 });
    expect(together.logits.slice(first.length, first.length + second.length)).toEqual(alone.logits);
  });

  it('decodes a row alone as among neighbours of other lengths at other slots', async () => {
    await runner.prefill([second], { slot: 0 });
    const alone = await runner.decode([17], [second.length], { slot: 0 });
    await runner.prefill([first, second, third], { slot: 2 });
    const together = await runner.decode([40, 17, 99], [first.length, second.length, third.length], { slot: 2 });
    expect(together.logits[1]).toEqual(alone.logits[0]);
  });

  it('gives the logits of one row as it gives them among all rows', async () => {
    const all = await runner.prefill([first, second]);
    const width = Math.max(first.length, second.length);
    const one = await runner.prefill([first, second], { logitRows: [width + second.length - 1] });
    expect(one.logits).toEqual([lastLogits(all)]);
  });

  it('prefills in chunks as at once, and decodes as it prefills, but for rounding', async () => {
    const tolerance = precision === 'fp32' ? 1e-5 : 0.05 * largest(lastLogits(await runner.prefill([third])));
    const whole = await runner.prefill([third]);
    const cut = Math.floor(third.length / 2);
    await runner.prefill([third.slice(0, cut)], { slot: 1 });
    const chunk = await runner.chunk(third.slice(cut), cut, { slot: 1 });
    expect(largestDifference(lastLogits(chunk), lastLogits(whole))).toBeLessThan(tolerance);

    await runner.prefill([third.slice(0, -1)], { slot: 1 });
    const decoded = await runner.decode([third.at(-1)!], [third.length - 1], { slot: 1 });
    expect(largestDifference(lastLogits(decoded), lastLogits(whole))).toBeLessThan(tolerance);
  });

  it('returns the largest logits first, with their ids', async () => {
    const { logits, topIds, topValues } = await runner.prefill([first], { topK: 5, logitRows: [first.length - 1] });
    const ranked = [...logits[0]!.entries()].sort(([idA, a], [idB, b]) => b - a || idA - idB).slice(0, 5);
    expect(topIds[0]).toEqual(ranked.map(([id]) => id));
    expect(topValues[0]).toEqual(ranked.map(([, value]) => value));
  });
});

describe.each(ENCODERS)('encoder %s in %s', (name, precision) => {
  const checkpoint = path.join(FIXTURES, name);
  const rows = readGolden<EncoderGolden>(checkpoint).texts.map(({ ids }) => ids);
  let runner: EncoderRunner;
  beforeAll(async () => {
    runner = await EncoderRunner.open(await built(checkpoint, precision));
  });
  afterAll(() => runner.close());

  it('embeds a row alone as in any batch of the same padded length', async () => {
    const width = Math.max(...rows.map((row) => row.length));
    const together = await runner.embed(rows, width);
    const reversed = (await runner.embed(rows.toReversed(), width)).toReversed();
    expect(reversed).toEqual(together);
    for (const [i, row] of rows.entries()) expect((await runner.embed([row], width))[0]).toEqual(together[i]);
  });

  it('gives vectors of length one', async () => {
    for (const vector of await runner.embed(rows)) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  });
});

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
