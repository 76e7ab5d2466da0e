/** How do the rows of a comparison stand in a page of Markdown? */
import { milliseconds } from '../lib/terminal.ts';
import type { Point } from './points.ts';
import type { Published } from './published.ts';

/** A table for each way of arriving: a row for each rate, and for each system its mean, its p99, its answers a second and its share of good ones. */
export function tablesOf(points: readonly Point[], published: readonly Published[]): string {
  const designs = [...new Set(points.map(({ design }) => design))];
  const tests = [...new Set(points.map(({ test }) => test))];
  const tables = tests.map((test) => {
    const ofTest = points.filter((point) => point.test === test);
    const rates = [...new Set(ofTest.map(({ rate }) => rate))].sort((a, b) => a - b);
    const rows = rates.map((rate) => {
      const cells = designs.map((design) =>
        cellOf(ofTest.filter((point) => point.rate === rate && point.design === design)),
      );
      return `| ${Number(rate.toFixed(2))} | ${cells.join(' | ')} |`;
    });
    const heads = designs.map((design) => `${design}: mean, p99 ms; answers/s; good`);
    return [
      `Arrivals: ${test}.`,
      '',
      `| requests/s | ${heads.join(' | ')} |`,
      `|---|${'---|'.repeat(designs.length)}`,
      ...rows,
    ].join('\n');
  });
  const others = published
    .filter(({ design }) => designs.includes(design))
    .map(
      ({ label, mostPerSecond, aloneMs }) =>
        `${label}: at most ${mostPerSecond} answers/s${aloneMs === undefined ? '' : `, ${aloneMs} ms alone`}`,
    );
  const notKept = points.filter(({ kept }) => !kept).map(({ design, test }) => `${design} (${test})`);
  return [
    ...tables,
    ...(others.length > 0 ? [others.map((line) => `* ${line}`).join('\n')] : []),
    ...(notKept.length > 0 ? [`Not sent as planned, so not to be compared: ${[...new Set(notKept)].join(', ')}.`] : []),
  ].join('\n\n');
}

function cellOf(points: readonly Point[]): string {
  if (points.length === 0) return '-';
  return points
    .map(({ meanMs, p99Ms, throughput, good, refused, failed }) => {
      const lost = [refused > 0 ? `${refused} refused` : '', failed > 0 ? `**${failed} failed**` : ''].filter(
        (part) => part !== '',
      );
      const share = `${(100 * good).toFixed(good === 1 ? 0 : 1)}%`;
      return `${milliseconds(meanMs)}, ${milliseconds(p99Ms)}; ${throughput.toFixed(1)}; ${share}${lost.length > 0 ? ` (${lost.join(', ')})` : ''}`;
    })
    .join(' / ');
}
