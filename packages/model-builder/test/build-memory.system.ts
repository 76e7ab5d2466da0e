/** How much memory does a build take at its peak, when it holds one tensor at a time? (w8a8 takes more: it runs the float32 model once.) */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { synthesizeCheckpoint } from '../src/synth.ts';
import { scratchFolder } from './scratch-folder.ts';

// Two builds of half a gigabyte.
vi.setConfig({ testTimeout: 300_000 });

const BUILD = `
import { buildModel } from '@ragscale/model-builder/build';
const [checkpoint, out, precision] = process.argv.slice(1);
const { files } = await buildModel({ checkpoint, out, precision });
const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
console.log(JSON.stringify({ bytes, peakBytes: 1024 * process.resourceUsage().maxRSS }));
`;

function built(checkpoint: string, precision: string): { bytes: number; peakBytes: number } {
  const parameters = ['--conditions=source', '--input-type=module', '--eval', BUILD, checkpoint];
  const out = path.join(scratchFolder(), 'model');
  const text = execFileSync(process.execPath, [...parameters, out, precision], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  return JSON.parse(text) as { bytes: number; peakBytes: number };
}

it('of OPT-125m in fp32 (502 MB) at most 1.5 of its output, and in w4 no more than that', () => {
  const checkpoint = path.join(scratchFolder(), 'checkpoint');
  synthesizeCheckpoint({ name: 'facebook/opt-125m', out: checkpoint, seed: 1 });
  const float = built(checkpoint, 'fp32');
  expect(float.bytes).toBeGreaterThan(500e6);
  expect(float.peakBytes).toBeLessThan(1.5 * float.bytes);
  // Node and ONNX Runtime themselves take more than such a small output.
  expect(built(checkpoint, 'w4').peakBytes).toBeLessThan(1.5 * float.bytes);
});
