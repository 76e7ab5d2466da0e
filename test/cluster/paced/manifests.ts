/** What do models say of themselves that are not there? As little as a pod needs to name them. */
import type { DecoderManifest, EncoderManifest } from '@ragscale/inference/manifest';

const common = {
  format: 1,
  name: 'paced',
  architecture: 'none',
  precision: 'fp32',
  licence: 'Apache-2.0',
  source: 'test/cluster/paced',
  graph: 'none',
  files: {},
} as const;

/** Longer than any question or document of the tests. */
const LONG = 1_000_000;

export const EMBEDDER: EncoderManifest = {
  ...common,
  kind: 'encoder',
  dimensions: { layers: 1, hidden: 2, heads: 1, vocabulary: 1, maxTokens: LONG },
  tokens: { pad: 0 },
  pooling: 'mean',
  prompt: { query: '{text}', passage: '{text}' },
};

export const GENERATOR: DecoderManifest = {
  ...common,
  kind: 'decoder',
  dimensions: { layers: 1, hidden: 2, heads: 1, kvHeads: 1, headDim: 2, vocabulary: 1, maxTokens: LONG },
  tokens: { eos: [0], pad: 0 },
  prompt: { kind: 'template', template: '{passages}{question}', passageSeparator: ' ' },
};
