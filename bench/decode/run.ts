/**
 * A decode step of the whole engine beside a C program that makes the same calls of the same library, and beside the memory
 * that it has to read. OPT-125m with random weights. `npm run bench:decode [-- --quick]`; writes results.json, .md and .svg here.
 */
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Precision, readManifest } from '@ragscale/inference/manifest';
import { writeChart } from '../lib/chart.ts';
import { LineProcess } from '../lib/line-process.ts';
import { cacheFolder, syntheticModel } from '../lib/synthetic-model.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, threads: { type: 'string', default: '2' } },
});
const threads = Number(flags.threads);
const rounds = flags.quick ? 3 : 11;
const CONTEXT = 512;
const START = 64;
const STEPS = 32;
const PRECISIONS: readonly Precision[] = ['fp32', 'w8a8', 'w8', 'w4'];
const ROWS = flags.quick ? [1, 16] : [1, 2, 4, 8, 16];

interface Row {
  readonly precision: Precision;
  readonly rows: number;
  /** Milliseconds of a step: medians over the rounds of the median over a round's steps. */
  readonly engineMs: number;
  readonly peerMs: number;
  /** Median over the rounds of engine / peer, each pair measured back to back. */
  readonly ratio: number;
  /** Milliseconds to read every weight once at the measured bandwidth. */
  readonly memoryMs: number;
}

const here = import.meta.dirname;
const peer = path.join(cacheFolder, 'decode-peer');
execFileSync(process.env.CC ?? 'cc', [
  '-O2',
  '-march=native',
  '-o',
  peer,
  path.join(here, 'peer.c'),
  '-ldl',
  '-lpthread',
]);
const require = createRequire(path.join(here, '../../packages/inference/package.json'));
const library = path.join(
  path.dirname(require.resolve('onnxruntime-node/package.json')),
  `bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime.so.1`,
);

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function measure(folder: string, precision: Precision, rows: number, bandwidth: number): Promise<Row> {
  const manifest = await readManifest(folder);
  if (manifest.kind !== 'decoder') throw new Error(`${folder} is no decoder`);
  const { layers, kvHeads, headDim } = manifest.dimensions;
  const graph = path.join(folder, manifest.graph);
  const sizes = [threads, layers, kvHeads, CONTEXT, headDim, rows].map(String);
  const c = await LineProcess.start(peer, [library, graph, ...sizes]);
  const script = path.join(here, 'engine-step.ts');
  const engine = await LineProcess.start(process.execPath, [
    '--conditions=source',
    script,
    folder,
    `${threads}`,
    `${CONTEXT}`,
    `${rows}`,
  ]);
  const pairs: { engine: number; peer: number }[] = [];
  for (let round = -1; round < rounds; round++) {
    const turn = { engine: 0, peer: 0 };
    // Who goes first changes, so that neither always finds the cache as the other left it.
    for (const who of round % 2 === 0 ? (['engine', 'peer'] as const) : (['peer', 'engine'] as const)) {
      turn[who] = Number(await (who === 'engine' ? engine : c).ask(`${START} ${STEPS}`)) / 1e6;
    }
    if (round >= 0) pairs.push(turn);
    process.stderr.write(`\r\u001b[2K${precision}, ${rows} slots: round ${round + 1} of ${rounds}`);
  }
  c.stop();
  engine.stop();
  // Tied weights are read twice by file size (table and head) only where they are stored twice; a step reads one row of the table.
  const bytes = statSync(graph).size;
  return {
    precision,
    rows,
    engineMs: median(pairs.map((pair) => pair.engine)),
    peerMs: median(pairs.map((pair) => pair.peer)),
    ratio: median(pairs.map((pair) => pair.engine / pair.peer)),
    memoryMs: (bytes / bandwidth) * 1000,
  };
}

const bandwidth = Number(execFileSync(peer, ['bandwidth', `${threads}`], { encoding: 'utf8' }));
const results: Row[] = [];
for (const precision of PRECISIONS) {
  const folder = await syntheticModel('facebook/opt-125m', precision);
  for (const rows of ROWS) results.push(await measure(folder, precision, rows, bandwidth));
}
process.stderr.write('\r\u001b[2K');

const machine = { cpu: cpus()[0]!.model, threads, bandwidthGBs: Number((bandwidth / 1e9).toFixed(1)) };
const report = {
  machine,
  settings: { model: 'facebook/opt-125m, random weights', CONTEXT, START, STEPS, rounds },
  results,
};
writeFileSync(path.join(here, 'results.json'), `${JSON.stringify(report, null, 2)}\n`);

const at = (precision: Precision, rows: number) =>
  results.find((row) => row.precision === precision && row.rows === rows)!;
const lines = [
  `OPT-125m, random weights, ${threads} threads of ${machine.cpu}, ${machine.bandwidthGBs} GB/s measured; milliseconds of a step, medians of ${rounds} interleaved rounds.`,
  '',
  '| weights | slots | engine | C program | engine / C | weights read once | tokens/s |',
  '|---|---|---|---|---|---|---|',
  ...results.map(
    ({ precision, rows, engineMs, peerMs, ratio, memoryMs }) =>
      `| ${precision} | ${rows} | ${engineMs.toFixed(2)} | ${peerMs.toFixed(2)} | ${ratio.toFixed(3)} | ${memoryMs.toFixed(2)} | ${((rows / engineMs) * 1000).toFixed(0)} |`,
  ),
  '',
  ...PRECISIONS.map(
    (precision) =>
      `* ${precision}: 16 slots cost ${(at(precision, 16).engineMs / at(precision, 1).engineMs).toFixed(2)} x one slot`,
  ),
];
writeFileSync(path.join(here, 'results.md'), `${lines.join('\n')}\n`);
process.stdout.write(`${lines.join('\n')}\n`);

const series = results.flatMap(({ precision, rows, engineMs, peerMs, memoryMs }) => [
  { precision, rows, ms: engineMs, what: 'ragscale engine' },
  { precision, rows, ms: peerMs, what: 'C program, same calls' },
  { precision, rows, ms: memoryMs, what: 'limit: weights read once' },
]);
await writeChart(path.join(here, 'results.svg'), {
  title: { text: 'A decode step of OPT-125m', subtitle: `${threads} threads, ${machine.cpu}; lower is better` },
  data: { values: series },
  columns: 2,
  facet: { field: 'precision', type: 'nominal', sort: [...PRECISIONS], title: null },
  resolve: { scale: { y: 'independent' } },
  spec: {
    width: 280,
    height: 180,
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'rows', type: 'quantitative', title: 'slots', scale: { type: 'log', base: 2 } },
      y: { field: 'ms', type: 'quantitative', title: 'milliseconds' },
      color: { field: 'what', type: 'nominal', title: null, scale: { range: ['#1f77b4', '#ff7f0e', '#888888'] } },
      strokeDash: { field: 'what', type: 'nominal', title: null },
    },
  },
});
