// What does a graph `x` [M, 256] -> `y` give for rows of ones? Run by saturation.system.ts under an emulated processor:
//   node --jitless run-product.mjs GRAPH QUANTPRECISION
import { createRequire } from 'node:module';

const ort = createRequire(import.meta.url)('onnxruntime-node');
const [graph, x64quantprecision] = process.argv.slice(2);
const session = await ort.InferenceSession.create(graph, {
  intraOpNumThreads: 1,
  extra: { session: { x64quantprecision } },
});
const results = [];
for (const rows of [1, 4]) {
  const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array(rows * 256).fill(1), [rows, 256]) });
  results.push(y.data[0]);
}
console.log(JSON.stringify(results));
