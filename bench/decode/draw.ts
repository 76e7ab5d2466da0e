/** The picture of results.json: `node --conditions=source bench/decode/draw.ts` draws it again. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Precision } from '@ragscale/inference/manifest';
import { writeChart } from '../lib/chart.ts';

export interface Row {
  readonly precision: Precision;
  readonly rows: number;
  /** Milliseconds of a step: medians over the rounds of the median over a round's steps. */
  readonly engineMs: number;
  readonly peerMs: number;
  /** The same engine on onnxruntime-node's own interface, which copies the cache out at each step. */
  readonly nodeApiMs: number;
  /** Medians over the rounds of engine / peer and node-api / engine, measured back to back. */
  readonly ratio: number;
  readonly nodeApiRatio: number;
  /** Milliseconds to read every weight once at the measured bandwidth. */
  readonly memoryMs: number;
}

export interface Report {
  readonly machine: { readonly cpu: string; readonly threads: number; readonly bandwidthGBs: number };
  readonly results: readonly Row[];
}

const LINES = {
  'onnxruntime-node, same engine': { of: (row: Row) => row.nodeApiMs, color: '#d62728' },
  'ragscale engine': { of: (row: Row) => row.engineMs, color: '#1f77b4' },
  'C program, same calls': { of: (row: Row) => row.peerMs, color: '#ff7f0e' },
  'limit: weights read once': { of: (row: Row) => row.memoryMs, color: '#888888' },
};

export async function draw({ machine, results }: Report): Promise<void> {
  const names = Object.keys(LINES);
  const values = Object.entries(LINES).flatMap(([what, { of }]) =>
    results.map((row) => ({ precision: row.precision, rows: row.rows, ms: of(row), what })),
  );
  await writeChart(path.join(import.meta.dirname, 'results.svg'), {
    title: {
      text: 'A decode step of OPT-125m',
      subtitle: `${machine.threads} threads of ${machine.cpu}, ${machine.bandwidthGBs} GB/s; both axes logarithmic, lower is better`,
      anchor: 'start',
    },
    data: { values },
    columns: 2,
    facet: {
      field: 'precision',
      type: 'nominal',
      sort: [...new Set(results.map((row) => row.precision))],
      title: null,
    },
    spec: {
      width: 300,
      height: 200,
      mark: { type: 'line', point: true },
      encoding: {
        x: {
          field: 'rows',
          type: 'quantitative',
          title: 'slots',
          scale: { type: 'log', base: 2 },
          axis: { values: [1, 2, 4, 8, 16] },
        },
        y: {
          field: 'ms',
          type: 'quantitative',
          title: 'milliseconds',
          scale: { type: 'log' },
          axis: { values: [2, 5, 10, 20, 50, 100, 200] },
        },
        color: {
          field: 'what',
          type: 'nominal',
          title: null,
          scale: { domain: names, range: Object.values(LINES).map(({ color }) => color) },
          legend: { labelLimit: 0, orient: 'bottom', columns: 2 },
        },
        strokeDash: {
          field: 'what',
          type: 'nominal',
          scale: {
            domain: names,
            range: [
              [1, 0],
              [1, 0],
              [6, 4],
              [2, 3],
            ],
          },
        },
      },
    },
  });
}

if (import.meta.main) {
  await draw(JSON.parse(readFileSync(path.join(import.meta.dirname, 'results.json'), 'utf8')) as Report);
}
