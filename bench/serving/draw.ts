/** The picture of results.json: `node --conditions=source bench/serving/draw.ts` draws it again. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeChart } from '../lib/chart.ts';
import type { Report } from './report.ts';

const PANELS = { p50: 'half of the answers come within', p99: '99 of 100 answers come within' } as const;

export async function draw({ machine, settings, systems }: Report, file: string): Promise<void> {
  const values = systems.flatMap(({ name, points }) =>
    points
      .filter(({ requests, failures }) => requests > failures)
      .flatMap((point) =>
        (['p50', 'p99'] as const).map((quantile) => ({
          system: name,
          panel: PANELS[quantile],
          rate: point.rate,
          seconds: point.latency[quantile] / 1000,
        })),
      ),
  );
  await writeChart(file, {
    title: {
      text: `Latency of an answer of ${settings.newTokens} tokens against the rate of questions`,
      subtitle: `OPT-125m, prompts of ${settings.promptTokens.toFixed(0)} tokens, Poisson arrivals, ${machine.threads} threads of ${machine.cpu}; both axes logarithmic, right and low is better`,
      anchor: 'start',
    },
    data: { values },
    columns: 2,
    facet: { field: 'panel', type: 'nominal', sort: Object.values(PANELS), title: null },
    spec: {
      width: 380,
      height: 300,
      mark: { type: 'line', point: true },
      encoding: {
        x: {
          field: 'rate',
          type: 'quantitative',
          title: 'questions a second',
          scale: { type: 'log', base: 2 },
          axis: { values: [0.25, 0.5, 1, 2, 4, 8, 16, 32] },
        },
        y: {
          field: 'seconds',
          type: 'quantitative',
          title: 'seconds',
          scale: { type: 'log' },
          axis: { values: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50] },
        },
        color: {
          field: 'system',
          type: 'nominal',
          title: null,
          scale: { domain: systems.map(({ name }) => name), range: systems.map(({ color }) => color) },
          legend: { labelLimit: 0, orient: 'bottom', columns: 3 },
        },
      },
    },
  });
}

if (import.meta.main) {
  const file = (name: string) => path.join(import.meta.dirname, name);
  await draw(JSON.parse(readFileSync(file('results.json'), 'utf8')) as Report, file('results.svg'));
}
