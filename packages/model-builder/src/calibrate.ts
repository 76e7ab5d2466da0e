/**
 * How large does each channel become that enters a product? Seen by running the float32 graph on random tokens.
 *
 * A few channels of a few tokens are many times larger than the rest (in MiniLM channel 99 of `[CLS]`, 20 times its row). With one
 * scale per row they leave the others few levels. Random tokens between the special ones show them as well as text does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openRuntime } from '@ragscale/inference/open-runtime';
import { allocate, type Tensor } from '@ragscale/inference/runtime';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import type { DecoderDescription, EncoderDescription, ModelPlan } from './architectures/architecture.ts';
import { GraphBuilder, type Value } from './graph-builder.ts';
import { productsOf } from './linear.ts';
import { writeOnnx } from './onnx-writer.ts';
import type { ChannelMagnitudes, Products } from './products.ts';
import { randomIntegers } from './random-values.ts';

const SEQUENCES = 24;
const LONGEST = 128;
const SEED = 1;

/** @param folder with the tokenizer, which tells which tokens stand at the ends */
export async function measureMagnitudes(plan: ModelPlan, folder: string): Promise<ChannelMagnitudes> {
  const { description } = plan;
  const { graph, taps } = tappedGraph(plan);
  const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-calibration-'));
  const file = path.join(scratch, 'model.onnx');
  try {
    // Beside the graph: within it, ONNX Runtime would hold all weights twice while it loads.
    writeOnnx(graph, file, { externalDataThresholdBytes: 0 });
    const { runtime } = await openRuntime('auto');
    const session = await runtime.load(file, { threads: 1 });
    const ends = (await Tokenizer.load(folder)).encode('');
    const magnitudes = new Map([...taps].map(([name, tap]) => [name, new Float32Array(tap.channels)]));
    const random = randomIntegers(SEED);
    // Decoders with rotary positions are not told them.
    const hasPositions = session.inputs.some(({ name }) => name === 'positions');
    for (let sequence = 0; sequence < SEQUENCES; sequence++) {
      const { maxTokens, vocabulary } = description.dimensions;
      const length = Math.min(maxTokens, 4 + Math.floor((LONGEST * (sequence + 1)) / SEQUENCES));
      const ids = Array.from({ length }, () => random(vocabulary));
      if (ends.length > 0) ids[0] = ends[0]!;
      if (ends.length > 1) ids[length - 1] = ends[1]!;
      const { inputs, outputs } =
        description.kind === 'encoder' ? encoderRun(description, ids) : decoderRun(description, ids, hasPositions);
      for (const { value, channels } of taps.values()) outputs[value] ??= allocate('float32', [length, channels]);
      const run = session.prepare(inputs, outputs);
      await run.execute();
      run.release();
      for (const [name, { value, channels }] of taps)
        raise(magnitudes.get(name)!, outputs[value]!.data as Float32Array, channels);
    }
    session.release();
    return magnitudes;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The float32 graph with the inputs of its smoothed products as further outputs. */
function tappedGraph(plan: ModelPlan) {
  const graph = new GraphBuilder('calibration');
  const products = productsOf('fp32', graph);
  const taps = new Map<string, { value: Value; channels: number }>();
  const listening: Products = {
    embed: products.embed,
    project: (x, layer, options) => {
      if (options?.smooth) taps.set(layer.weight.name, { value: x, channels: layer.weight.shape[1] ?? 0 });
      return products.project(x, layer, options);
    },
  };
  plan.compose(graph, listening);
  for (const [value, channels] of new Map([...taps.values()].map((tap) => [tap.value, tap.channels]))) {
    graph.output(value, 'float32', ['T', channels]);
  }
  return { graph: graph.finish(), taps };
}

interface Run {
  readonly inputs: Record<string, Tensor>;
  readonly outputs: Record<string, Tensor>;
}

function encoderRun({ dimensions }: EncoderDescription, ids: readonly number[]): Run {
  const inputs = { input_ids: int32([1, ids.length], ids), lengths: int32([1], [ids.length]) };
  return { inputs, outputs: { embeddings: allocate('float32', [1, dimensions.hidden]) } };
}

/** A first prefill that asks for the logits of every row: otherwise the last layer would see only some. */
function decoderRun({ dimensions }: DecoderDescription, ids: readonly number[], hasPositions: boolean): Run {
  const places = ids.map((_, i) => i);
  const { length } = ids;
  const one = allocate('int64', [1]);
  one.data[0] = 1n;
  const inputs: Record<string, Tensor> = {
    input_ids: int32([1, length], ids),
    ...(hasPositions ? { positions: int32([1, length], places) } : {}),
    seqlens_k: int32([1], [length - 1]),
    total_sequence_length: int32([], [length]),
    logit_rows: int32([length], places),
    top_k: one,
  };
  const outputs: Record<string, Tensor> = {};
  for (let layer = 0; layer < dimensions.layers; layer++) {
    for (const part of ['key', 'value']) {
      const cache = allocate('float32', [1, dimensions.kvHeads, length, dimensions.headDim]);
      inputs[`past.${layer}.${part}`] = cache;
      outputs[`present.${layer}.${part}`] = cache;
    }
  }
  return { inputs, outputs };
}

function int32(dims: readonly number[], values: readonly number[]): Tensor<'int32'> {
  const tensor = allocate('int32', dims);
  tensor.data.set(values);
  return tensor;
}

function raise(largest: Float32Array, values: Float32Array, channels: number): void {
  for (let i = 0; i < values.length; i++) {
    const channel = i % channels;
    largest[channel] = Math.max(largest[channel]!, Math.abs(values[i]!));
  }
}
