/**
 * A decode step of the whole engine beside a C program that makes the same calls of the same library, beside onnxruntime-node's own
 * interface, and beside the memory that a step has to read. OPT-125m with random weights.
 *
 *     npm run bench:decode [-- --quick] [-- --threads N]        writes results.json, .md and .svg here
 */
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Precision, readManifest } from '@ragscale/inference/manifest';
import { LineProcess } from '../lib/line-process.ts';
import { cacheFolder, syntheticModel } from '../lib/synthetic-model.ts';
import { draw, type Row } from './draw.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, threads: { type: 'string', default: '2' } },
});
const threads = Number(flags.threads);
const rounds = flags.quick ? 3 : 9;
const CONTEXT = 512;
const START = 64;
const STEPS = 32;
const PRECISIONS: readonly Precision[] = ['fp32', 'w8a8', 'w8', 'w4'];
const ROWS = flags.quick ? [1, 16] : [1, 4, 8, 16];

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

const progress = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[2K${text}`);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function measure(folder: string, precision: Precision, rows: number, bandwidth: number): Promise<Row> {
  const manifest = await readManifest(folder);
  if (manifest.kind !== 'decoder') throw new Error(`${folder} is no decoder`);
  const { layers, kvHeads, headDim } = manifest.dimensions;
  const graph = path.join(folder, manifest.graph);
  const sizes = [threads, layers, kvHeads, CONTEXT, headDim, rows].map(String);
  const script = path.join(here, 'engine-step.ts');
  const engineArgs = ['--conditions=source', script, folder, `${threads}`, `${CONTEXT}`, `${rows}`];
  const processes = {
    engine: await LineProcess.start(process.execPath, engineArgs),
    peer: await LineProcess.start(peer, [library, graph, ...sizes]),
    nodeApi: await LineProcess.start(process.execPath, engineArgs, { RUNTIME: 'node-api' }),
  };
  const order = ['engine', 'peer', 'nodeApi'] as const;
  const turns: Record<(typeof order)[number], number>[] = [];
  for (let round = -1; round < rounds; round++) {
    const turn = { engine: 0, peer: 0, nodeApi: 0 };
    // Who goes first changes, so that nobody always finds the cache as the same other left it.
    for (const who of round % 2 === 0 ? order : order.toReversed()) {
      const steps = who === 'nodeApi' ? STEPS / 4 : STEPS;
      turn[who] = Number(await processes[who].ask(`${START} ${steps}`)) / 1e6;
    }
    if (round >= 0) turns.push(turn);
    progress(`${precision}, ${rows} slots: round ${round + 1} of ${rounds}`);
  }
  for (const each of order) processes[each].stop();
  // Tied weights are read twice by file size (table and head) only where they are stored twice; a step reads one row of the table.
  const bytes = statSync(graph).size;
  return {
    precision,
    rows,
    engineMs: median(turns.map((turn) => turn.engine)),
    peerMs: median(turns.map((turn) => turn.peer)),
    nodeApiMs: median(turns.map((turn) => turn.nodeApi)),
    ratio: median(turns.map((turn) => turn.engine / turn.peer)),
    nodeApiRatio: median(turns.map((turn) => turn.nodeApi / turn.engine)),
    memoryMs: (bytes / bandwidth) * 1000,
  };
}

const bandwidth = Number(execFileSync(peer, ['bandwidth', `${threads}`], { encoding: 'utf8' }));
const results: Row[] = [];
for (const precision of PRECISIONS) {
  const folder = await syntheticModel('facebook/opt-125m', precision);
  for (const rows of ROWS) results.push(await measure(folder, precision, rows, bandwidth));
}
progress('');

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
  '| weights | slots | engine | C program | engine / C | onnxruntime-node | that / engine | weights read once | tokens/s |',
  '|---|---|---|---|---|---|---|---|---|',
  ...results.map((row) =>
    [
      '',
      row.precision,
      row.rows,
      row.engineMs.toFixed(2),
      row.peerMs.toFixed(2),
      row.ratio.toFixed(3),
      row.nodeApiMs.toFixed(1),
      row.nodeApiRatio.toFixed(1),
      row.memoryMs.toFixed(2),
      ((row.rows / row.engineMs) * 1000).toFixed(0),
      '',
    ]
      .join(' | ')
      .trim(),
  ),
  '',
  ...PRECISIONS.map(
    (precision) =>
      `* ${precision}: 16 slots cost ${(at(precision, 16).engineMs / at(precision, 1).engineMs).toFixed(2)} x one slot`,
  ),
];
writeFileSync(path.join(here, 'results.md'), `${lines.join('\n')}\n`);
process.stdout.write(`${lines.join('\n')}\n`);

await draw(report);
