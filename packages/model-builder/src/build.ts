/** How does a checkpoint folder become a model folder? The contract of the result: docs/model-folder.md. */
import path from 'node:path';
import type { Manifest, Precision } from '@ragscale/inference/manifest';
import { architectureOf } from './architectures/known.ts';
import { measureMagnitudes } from './calibrate.ts';
import { catalogueEntry } from './catalogue.ts';
import { FolderCheckpoint, type PromptOverrides, TOKENIZER_FILES } from './checkpoint.ts';
import { GraphBuilder } from './graph-builder.ts';
import { snapshotAt } from './hub/hub-cache.ts';
import { productsOf } from './linear.ts';
import { type Provenance, writeManifest } from './manifest-writer.ts';
import { writeModelCard } from './model-card.ts';
import { type WriteOptions, writeOnnx } from './onnx-writer.ts';
import { openOutputFolder } from './output-folder.ts';

const GRAPH_FILE = 'model.onnx';

export interface BuildOptions extends WriteOptions {
  readonly checkpoint: string;
  readonly out: string;
  readonly precision: Precision;
  /** Replaces a model folder that is there; without it, that is an error. */
  readonly force?: boolean;
  /** These go before the checkpoint's own ragscale.json. */
  readonly provenance?: Partial<Provenance>;
  readonly prompt?: PromptOverrides;
}

/**
 * Builds into a folder beside `out` and renames it at the end: `out` is whole or absent.
 * The same checkpoint and options give the same bytes (in w8a8 a smoothing factor at a rounding boundary could differ on another CPU).
 * @throws BuildError in one line, naming the file and the tensor or field
 */
export async function buildModel(options: BuildOptions): Promise<Manifest> {
  const checkpoint = new FolderCheckpoint(options.checkpoint);
  const architecture = architectureOf(checkpoint.modelType, checkpoint.path('config.json'));
  const provenance = provenanceOf(checkpoint, options.provenance);
  const known = catalogueEntry(provenance.name)?.prompt;
  const plan = architecture.plan(checkpoint, { ...known, ...checkpoint.about.prompt, ...options.prompt });
  const graph = new GraphBuilder(architecture.modelType);
  const output = openOutputFolder(options.out, { force: options.force, marker: 'manifest.json' });
  try {
    checkpoint.writeTokenizer(output.scratch);
    const magnitudes = options.precision === 'w8a8' ? await measureMagnitudes(plan, output.scratch) : undefined;
    plan.compose(graph, productsOf(options.precision, graph, magnitudes));
    const files = writeOnnx(graph.finish(), path.join(output.scratch, GRAPH_FILE), options);
    files.push(...TOKENIZER_FILES);
    const manifest = await writeManifest(output.scratch, plan.description, provenance, options.precision, files);
    writeModelCard(output.scratch, manifest);
    output.commit();
    return manifest;
  } catch (error) {
    output.discard();
    throw error;
  }
}

/** What is not given or written beside the weights is known from where a pull has put them. */
function provenanceOf(checkpoint: FolderCheckpoint, given: Partial<Provenance> = {}): Provenance {
  const folder = path.resolve(checkpoint.folder);
  const { about } = checkpoint;
  const pulled = snapshotAt(folder);
  const name = given.name ?? about.name ?? pulled?.repository ?? path.basename(folder);
  return {
    name,
    licence: given.licence ?? about.licence ?? catalogueEntry(name)?.licence ?? 'unknown',
    source:
      given.source ??
      about.source ??
      (pulled ? `${pulled.repository}@${pulled.commit}` : `the checkpoint folder ${path.basename(folder)}`),
  };
}
