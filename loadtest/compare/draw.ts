/** How do systems look against each other? Three pictures: mean latency, p99 and throughput against the rate of requests. */
import path from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { writeChart } from '../../bench/lib/chart.ts';
import type { Point } from './points.ts';
import type { Published } from './published.ts';

/** Okabe and Ito: apart for colour-blind eyes too. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999'];

const DECADES = [1, 10, 100, 1_000, 10_000, 100_000].flatMap((power) => [power, 2 * power, 5 * power]);

const PICTURES = [
  { file: 'mean.svg', field: 'meanMs', title: 'Mean latency of answers', axis: 'milliseconds', log: true },
  { file: 'p99.svg', field: 'p99Ms', title: '99 of 100 answers come within', axis: 'milliseconds', log: true },
  { file: 'throughput.svg', field: 'throughput', title: 'Answers a second', axis: 'answers a second', log: false },
] as const;

/** @returns the files */
export async function drawPictures(
  points: readonly Point[],
  published: readonly Published[],
  folder: string,
): Promise<string[]> {
  const designs = [...new Set(points.map(({ design }) => design))];
  const tests = [...new Set(points.map(({ test }) => test))];
  const others = published.filter(({ design }) => designs.includes(design));
  const files: string[] = [];
  for (const picture of PICTURES) {
    const file = path.join(folder, picture.file);
    const values = [
      ...tests.flatMap((test) => publishedValues(picture.field, others, points, test)),
      ...points.map((point) => ({ ...point, value: point[picture.field], source: 'measured' })),
    ].filter(({ value }) => value !== null && value > 0);
    await writeChart(file, specOf(picture, values, designs));
    files.push(file);
  }
  return files;
}

/** As a line at its height, where it is a limit, or a point beside the axis, where it is of a request alone. */
function publishedValues(field: string, others: readonly Published[], points: readonly Point[], test: string) {
  const most = Math.max(...points.map(({ rate }) => rate));
  return others.flatMap(({ design, mostPerSecond, aloneMs }) => {
    if (field === 'throughput') {
      const rates = mostPerSecond < most ? [mostPerSecond, most] : [];
      return rates.map((rate) => ({ design, test, rate, value: mostPerSecond, source: 'published' }));
    }
    return field === 'meanMs' && aloneMs !== undefined
      ? [{ design, test, rate: 0, value: aloneMs, source: 'published' }]
      : [];
  });
}

function specOf(
  { title, axis, log }: (typeof PICTURES)[number],
  values: readonly object[],
  designs: readonly string[],
): TopLevelSpec {
  const hasPublished = values.some((value) => (value as { source: string }).source === 'published');
  return {
    title: {
      text: `${title}, against the rate of requests`,
      ...(hasPublished
        ? {
            subtitle: `${log ? 'hollow: one request alone' : 'dashed: the most'}, as published of the design that ragscale began with, on a GPU`,
          }
        : {}),
      anchor: 'start',
    },
    data: { values: [...values] },
    columns: 2,
    facet: { field: 'test', type: 'nominal', title: null },
    spec: {
      width: 380,
      height: 280,
      encoding: {
        x: { field: 'rate', type: 'quantitative', title: 'requests a second' },
        y: {
          field: 'value',
          type: 'quantitative',
          title: axis,
          ...(log ? { scale: { type: 'log' }, axis: { values: DECADES, format: ',' } } : {}),
        },
        color: {
          field: 'design',
          type: 'nominal',
          title: null,
          scale: { domain: [...designs], range: COLORS.slice(0, Math.max(1, designs.length)) },
          legend: { labelLimit: 0, orient: 'bottom' },
        },
      },
      layer: [
        { transform: [{ filter: "datum.source === 'measured'" }], mark: { type: 'line', point: true } },
        {
          transform: [{ filter: "datum.source === 'published' && datum.rate > 0" }],
          mark: { type: 'line', strokeDash: [5, 4] },
        },
        {
          transform: [{ filter: "datum.source === 'published' && datum.rate === 0" }],
          mark: { type: 'point', filled: false, size: 70 },
        },
      ],
    },
  };
}
