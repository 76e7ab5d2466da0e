/** Are angles right far from the beginning too? Expected: `LlamaRotaryEmbedding` of transformers 5.23 in float32, to six places. */
import { expect, it } from 'vitest';
import { frequencies, rotaryTables } from './rotary.ts';

const POSITIONS = 32_768;
/** [position, pair, cosine, sine] */
type Row = readonly [number, number, number, number];

const PLAIN: readonly Row[] = [
  [1, 0, 0.540302, 0.841471],
  [1, 32, 1.0, 0.001],
  [777, 1, -0.571498, -0.820603],
  [777, 37, 0.965343, 0.260983],
  [32_767, 0, 0.982263, 0.187507],
  [32_767, 1, -0.998488, 0.054976],
  [32_767, 32, 0.217957, 0.975958],
  [32_767, 63, 0.999173, 0.040651],
];
const LINEAR: readonly Row[] = [
  [1, 1, 0.982478, 0.186377],
  [777, 16, -0.363203, 0.93171],
  [32_767, 0, 0.047138, -0.998888],
  [32_767, 1, -0.424703, -0.905333],
  [32_767, 31, 0.460367, 0.887729],
];
const LLAMA3: readonly Row[] = [
  [1, 32, 1.0, 0.000525],
  [777, 1, -0.073273, -0.997312],
  [777, 37, 0.998786, 0.049254],
  [32_767, 1, -0.020517, 0.999789],
  [32_767, 32, -0.081041, -0.996711],
  [32_767, 37, -0.485668, 0.874143],
  [32_767, 63, 0.999949, 0.010056],
];
const llama3 = {
  rope_type: 'llama3',
  rope_theta: 5e5,
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

it.each([
  ['plain, as Qwen2.5 has it', 128, { rope_theta: 1e6 }, PLAIN],
  ['plain, as transformers 5 writes it', 128, { rope_parameters: { rope_type: 'default', rope_theta: 1e6 } }, PLAIN],
  ['linear', 64, { rope_theta: 1e4, rope_scaling: { type: 'linear', factor: 4 } }, LINEAR],
  ['by Llama 3.1', 128, { rope_parameters: llama3 }, LLAMA3],
] as const)('%s', (_, headDim, config, rows) => {
  const { cosines, sines } = rotaryTables(frequencies(config, headDim, 'config.json'), POSITIONS);
  expect(cosines.shape).toEqual([POSITIONS, headDim / 2]);
  const [cosine, sine] = [cosines.read(), sines.read()];
  for (const [position, pair, expectedCosine, expectedSine] of rows) {
    const place = position * (headDim / 2) + pair;
    expect([cosine[place], sine[place]]).toEqual([expect.closeTo(expectedCosine, 5), expect.closeTo(expectedSine, 5)]);
  }
});
