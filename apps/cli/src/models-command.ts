/** `ragscale models`: which models are there, and how is one made from a checkpoint? */
import type { Precision } from '@ragscale/inference/manifest';
import { buildModel } from '@ragscale/model-builder/build';
import { CATALOGUE, embeddedFolder } from '@ragscale/model-builder/catalogue';
import { readPrompt } from '@ragscale/model-builder/checkpoint';
import { pulledFolder } from '@ragscale/model-builder/hub/pull';
import { hubSettings } from '@ragscale/model-builder/hub/settings';
import { parametersOf, synthesizeCheckpoint } from '@ragscale/model-builder/synth';
import { Command, InvalidArgumentError, Option } from 'commander';
import { megabytes, printJson, printTable, progressLine } from './output.ts';
import { pullCommand } from './pull-command.ts';

const PRECISIONS = ['fp32', 'w8a8', 'w8', 'w4'] as const satisfies readonly Precision[];

export function modelsCommand(): Command {
  return new Command('models')
    .description('list, pull, build and synthesize models')
    .addCommand(list())
    .addCommand(pullCommand())
    .addCommand(build())
    .addCommand(synth());
}

function list(): Command {
  return new Command('list')
    .description('the models known by name, and which of them ship with this repository')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) => {
      const settings = hubSettings();
      const models = CATALOGUE.map((entry) => ({
        name: entry.name,
        kind: entry.kind,
        architecture: String(entry.config.model_type),
        layers: Number(entry.config.num_hidden_layers),
        hidden: Number(entry.config.hidden_size),
        parameters: parametersOf(entry),
        licence: entry.licence,
        folder: embeddedFolder(entry) ?? null,
        checkpoint: pulledFolder(entry.name, settings) ?? null,
      }));
      if (json) return printJson({ models });
      const rows = models.map((model) => [
        model.name,
        model.kind,
        model.architecture,
        `${model.layers} x ${model.hidden}`,
        `${(model.parameters / 1e6).toFixed(1)} M`,
        model.licence,
        model.folder !== null
          ? 'embedded'
          : model.checkpoint !== null
            ? 'pulled'
            : 'not here (pull fetches it, synth makes its shape)',
      ]);
      printTable([['NAME', 'KIND', 'ARCHITECTURE', 'LAYERS x HIDDEN', 'PARAMETERS', 'LICENCE', 'WHERE'], ...rows]);
    });
}

interface BuildFlags {
  checkpoint: string;
  out: string;
  precision: Precision;
  force?: true;
  name?: string;
  licence?: string;
  source?: string;
  prompt?: string;
  json?: true;
}

function build(): Command {
  return new Command('build')
    .description('write a model folder (graph, tokenizer, manifest) from a checkpoint folder')
    .requiredOption(
      '--checkpoint <dir>',
      'folder with config.json, weights (safetensors or pytorch_model.bin) and a tokenizer (tokenizer.json, or vocab.json and merges.txt)',
    )
    .requiredOption('--out <dir>', 'folder to write')
    .addOption(new Option('--precision <name>', 'of weights and products').choices(PRECISIONS).makeOptionMandatory())
    .option('--force', 'replace the folder if it exists')
    .option('--name <name>', 'name in the manifest (default: of the checkpoint)')
    .option('--licence <name>', 'licence in the manifest')
    .option('--source <text>', 'where the weights come from, for the manifest')
    .option(
      '--prompt <file>',
      'JSON with the wording around texts: query and passage (encoders), template, passageSeparator and system (decoders)',
    )
    .option('--json', 'print JSON')
    .action(async ({ json, prompt, name, licence, source, ...flags }: BuildFlags) => {
      const progress = progressLine('writing');
      const started = performance.now();
      const manifest = await buildModel({
        ...flags,
        provenance: { ...(name && { name }), ...(licence && { licence }), ...(source && { source }) },
        ...(prompt && { prompt: readPrompt(prompt) }),
        onProgress: progress.update,
      }).finally(progress.end);
      const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
      const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
      if (json)
        return printJson({ out: flags.out, name: manifest.name, precision: manifest.precision, bytes, seconds });
      process.stdout.write(
        `${manifest.name} in ${manifest.precision}: ${megabytes(bytes)} in ${flags.out} (${seconds} s)\n`,
      );
    });
}

function synth(): Command {
  return new Command('synth')
    .description("write a checkpoint of a known model's true shape with random weights, for measuring speed")
    .argument('<name>', 'as `ragscale models list` shows it')
    .option('--out <dir>', "folder to write (default: the name's last part, with -synth)")
    .option('--seed <n>', 'the same seed gives the same bytes', wholeNumber, 0)
    .option('--force', 'replace the folder if it exists')
    .option('--json', 'print JSON')
    .action(
      (name: string, { json, out: given, ...flags }: { json?: true; out?: string; seed: number; force?: true }) => {
        const out = given ?? `${name.split('/').at(-1)}-synth`;
        const progress = progressLine('writing');
        const { parameters } = synthesizeCheckpoint({ name, out, ...flags, onProgress: progress.update });
        progress.end();
        if (json) return printJson({ out, name, parameters, seed: flags.seed });
        process.stdout.write(`${name}: ${(parameters / 1e6).toFixed(1)} M random weights in ${out}\n`);
      },
    );
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is expected');
  return Number(text);
}
