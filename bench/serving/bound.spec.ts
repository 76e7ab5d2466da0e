import { expect, test } from 'vitest';
import { boundOf, shapeOf } from './bound.ts';

const shape = { layerWeights: 80e6, headWeights: 20e6, embedderWeights: 10e6, cacheBytesPerToken: 1e3 };
const machine = { bandwidth: 40e9, arithmetic: 400e9 };
const size = { queryTokens: 10, promptTokens: 80, newTokens: 65 };

test('one slot decodes as fast as its weights and its cache can be read', () => {
  const { decodeSeconds } = boundOf(shape, machine, size, { slots: 1, bytesPerWeight: 4 });
  expect(decodeSeconds).toBeCloseTo((64 * (400e6 + 112_500)) / 40e9, 6);
});

test('many slots decode as fast as the machine multiplies', () => {
  const { decodeSeconds } = boundOf(shape, machine, size, { slots: 64, bytesPerWeight: 4 });
  expect(decodeSeconds).toBeCloseTo((64 * 200e6) / 400e9, 6);
});

test('a prompt costs its products, whatever the slots', () => {
  const [one, many] = [1, 64].map((slots) => boundOf(shape, machine, size, { slots, bytesPerWeight: 4 }));
  expect(one?.prefillSeconds).toBe((2 * (80e6 * 80 + 20e6)) / 400e9);
  expect(many?.prefillSeconds).toBe(one?.prefillSeconds);
  expect(many!.requestsPerSecond).toBeGreaterThan(one!.requestsPerSecond);
});

test('opt-125m has the weights it is known for', () => {
  const found = shapeOf(
    { hidden_size: 768, num_hidden_layers: 12, ffn_dim: 3072, vocab_size: 50272 },
    { hidden_size: 384, num_hidden_layers: 6, intermediate_size: 1536 },
  );
  expect(found.layerWeights).toBe(84_934_656);
  expect(found.headWeights).toBe(38_608_896);
  expect(found.embedderWeights).toBe(10_616_832);
  expect(found.cacheBytesPerToken).toBe(73_728);
});
