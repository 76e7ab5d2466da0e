/** How is a model folder compared with the golden outputs of the reference library? */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Precision } from '@ragscale/inference/manifest';
import { buildModel } from '../src/build.ts';
import { DecoderRunner, EncoderRunner } from './graph-runner.ts';
import { scratchFolder } from './scratch-folder.ts';
import { cosine, largestDifference } from './similarity.ts';

export interface DecoderGolden {
  readonly kind: 'decoder';
  readonly vocabulary: number;
  /** The text is null where ids were drawn. */
  readonly prompts: readonly {
    readonly text: string | null;
    readonly ids: number[];
    readonly logits: string;
    readonly greedy: number[];
  }[];
}
export interface EncoderGolden {
  readonly kind: 'encoder';
  readonly texts: readonly { readonly text: string | null; readonly ids: number[]; readonly embedding: string }[];
}

export const FIXTURES = path.join(import.meta.dirname, 'fixtures');
export const DECODER_FIXTURES = [
  'opt-two-heads-f32',
  'opt-four-heads-f16',
  'opt-one-head-bf16',
  'qwen2-tied-f32',
  'qwen2-untied-bf16',
  'llama-untied-f16',
  'llama-scaled-f32',
] as const;
export const ENCODER_FIXTURES = [
  'bert-two-heads-f32',
  'bert-four-heads-bf16',
  'xlm-roberta-two-heads-f32',
  'xlm-roberta-four-heads-f16',
] as const;
export const BUILT_PRECISIONS: readonly Precision[] = ['fp32', 'w8a8', 'w8', 'w4'];

export function readGolden<T>(checkpoint: string): T {
  return JSON.parse(readFileSync(path.join(checkpoint, 'golden.json'), 'utf8')) as T;
}

export function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Builds a checkpoint into a new temporary folder. */
export async function built(checkpoint: string, precision: Precision): Promise<string> {
  const out = path.join(scratchFolder(), 'model');
  await buildModel({ checkpoint, out, precision });
  return out;
}

export interface DecoderParity {
  readonly largestLogitError: number;
  readonly lowestLogitCosine: number;
  readonly medianLogitCosine: number;
  /** Share of the golden greedy tokens that come out in their places. */
  readonly greedyAgreement: number;
}

export async function decoderParity(folder: string, golden: DecoderGolden): Promise<DecoderParity> {
  const runner = await DecoderRunner.open(folder, 2);
  let [largestLogitError, agreed, tokens] = [0, 0, 0];
  const cosines: number[] = [];
  for (const { ids, logits, greedy } of golden.prompts) {
    const expected = floatsOf(logits);
    const rows = expected.length / golden.vocabulary;
    const result = await runner.prefill([ids]);
    result.logits.slice(-rows).forEach((row, r) => {
      const reference = expected.subarray(r * golden.vocabulary, (r + 1) * golden.vocabulary);
      largestLogitError = Math.max(largestLogitError, largestDifference(row, reference));
      cosines.push(cosine(row, reference));
    });
    const generated = await runner.greedy(ids, greedy.length);
    agreed += generated.filter((token, i) => token === greedy[i]).length;
    tokens += greedy.length;
  }
  runner.close();
  cosines.sort((a, b) => a - b);
  const [lowestLogitCosine, medianLogitCosine] = [cosines[0]!, cosines[cosines.length >> 1]!];
  return { largestLogitError, lowestLogitCosine, medianLogitCosine, greedyAgreement: agreed / tokens };
}

/** The lowest cosine over the texts, run as one padded batch and each alone. */
export async function encoderParity(folder: string, golden: EncoderGolden): Promise<number> {
  const runner = await EncoderRunner.open(folder);
  const batch = await runner.embed(golden.texts.map(({ ids }) => ids));
  let lowest = 1;
  for (const [i, { ids, embedding }] of golden.texts.entries()) {
    const [alone] = await runner.embed([ids]);
    const reference = floatsOf(embedding);
    lowest = Math.min(lowest, cosine(batch[i]!, reference), cosine(alone!, reference));
  }
  runner.close();
  return lowest;
}
