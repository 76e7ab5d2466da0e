/**
 * Are products exact on processors with AVX2 but no VNNI, whose u8 x s8 instruction saturates at 32,767? Under qemu's Haswell.
 * That is why packages/inference sets `session.x64quantprecision` there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { GraphBuilder } from '../src/graph-builder.ts';
import { productsOf } from '../src/linear.ts';
import { writeOnnx } from '../src/onnx-writer.ts';
import { scratchFolder } from './scratch-folder.ts';

const WIDTH = 256;
const hasQemu = spawnSync('qemu-x86_64', ['-version']).status === 0;

/** The product of rows of ones and a weight of ones: 256, from the largest integers there are. */
function onHaswell(precision: 'w8a8' | 'w8' | 'w4', x64quantprecision: '0' | '1'): number[] {
  const graph = new GraphBuilder('product');
  const weight = { name: 'w', shape: [32, WIDTH], read: () => new Float32Array(32 * WIDTH).fill(1) };
  productsOf(precision, graph).project(graph.input('x', 'float32', ['M', WIDTH]), { weight }, { as: 'y' });
  graph.output('y', 'float32', ['M', 32]);
  const file = path.join(scratchFolder(), 'product.onnx');
  writeOnnx(graph.finish(), file);
  const script = path.join(import.meta.dirname, 'run-product.mjs');
  const args = ['-cpu', 'Haswell', process.execPath, '--jitless', script, file, x64quantprecision];
  return JSON.parse(
    execFileSync('qemu-x86_64', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  ) as number[];
}

it.skipIf(!hasQemu).each(['w8a8', 'w8', 'w4'] as const)(
  '%s is exact with the setting (needs qemu-user)',
  (precision) => {
    for (const value of onHaswell(precision, '1')) expect(value).toBeCloseTo(WIDTH, 3);
  },
);

it.skipIf(!hasQemu)('w8a8 saturates without it: the setting is still needed', () => {
  for (const value of onHaswell('w8a8', '0')) expect(value).toBeLessThan(WIDTH / 2);
});
