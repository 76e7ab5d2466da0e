/** What does an architecture have to say for its checkpoints to be built. One file each beside this one. */
import type { DecoderManifest, EncoderManifest } from '@ragscale/inference/manifest';
import type { Checkpoint, PromptOverrides } from '../checkpoint.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import type { Products } from '../products.ts';

type Common = 'format' | 'name' | 'precision' | 'licence' | 'source' | 'graph' | 'files';
export type EncoderDescription = Omit<EncoderManifest, Common>;
export type DecoderDescription = Omit<DecoderManifest, Common>;
/** The part of a manifest that an architecture knows. */
export type Description = EncoderDescription | DecoderDescription;

export interface ModelPlan {
  readonly description: Description;
  /** Adds the whole model to `graph`. Weights are checked here and read later. */
  compose(graph: GraphBuilder, products: Products): void;
}

export interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** @throws BuildError when the configuration asks for something that the graph would not compute */
  plan(checkpoint: Checkpoint, prompt: PromptOverrides): ModelPlan;
}
