/** What does a person who opens a model folder need to know? */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Manifest, Precision } from '@ragscale/inference/manifest';

const PRECISION_NOTES: Readonly<Record<Precision, string>> = {
  fp32: 'Weights are float32, as in the checkpoint or widened from it.',
  fp16: 'Weights and activations are float16.',
  w8a8: 'Weights are int8 with a scale per output; activations are quantized to 8 bits in the graph, a scale per row.',
  w8: 'Weights are 8-bit integers in blocks; activations are float32 between the products.',
  w4: 'Weights are 4-bit integers in blocks; activations are float32 between the products.',
};

export function writeModelCard(folder: string, manifest: Manifest): void {
  const { kind, architecture, precision, dimensions, licence, source, name } = manifest;
  const graphBytes = Object.entries(manifest.files).reduce(
    (sum, [file, { bytes }]) => sum + (file.startsWith(manifest.graph) ? bytes : 0),
    0,
  );
  const lines = [
    `# ${name}`,
    '',
    `| | |`,
    `|---|---|`,
    `| kind | ${kind}, ${architecture} |`,
    `| size | ${dimensions.layers} layers, hidden ${dimensions.hidden}, ${dimensions.heads} heads, vocabulary ${dimensions.vocabulary}, at most ${dimensions.maxTokens} tokens |`,
    `| precision | ${precision}, ${(graphBytes / 1e6).toFixed(1)} MB |`,
    `| source | ${source} |`,
    `| licence | ${licence} |`,
    '',
    `Written by \`ragscale models build\` from the checkpoint's safetensors. ${PRECISION_NOTES[precision]}`,
    'Norms and biases stay float32. Inputs and outputs: docs/model-folder.md. Checksums: manifest.json.',
    '',
  ];
  writeFileSync(path.join(folder, 'README.md'), lines.join('\n'));
}
