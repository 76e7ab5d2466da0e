/** The picture of results.json: `node --conditions=source bench/proxy/draw.ts` draws it again. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeChart } from '../lib/chart.ts';
import { median } from '../serving/summary.ts';
import { COLORS, type Family, familyOf, type PeerName } from './peers.ts';
import type { Report } from './report.ts';

interface Bar {
  readonly peer: string;
  readonly value: number;
  readonly kind?: string;
}

interface Panel {
  readonly title: string;
  readonly axis: string;
  readonly bars: readonly Bar[];
}

const FAILURES = {
  'avoidable failure': '#d62728',
  'stream lost silently': '#ff9896',
  'stream ended with `error`': '#c7c7c7',
} as const;
const WIDTH = 300;
const BAR = 18;

/** Draws nothing when nothing was measured of what it shows. */
export async function draw(report: Report, file: string): Promise<void> {
  const panels = panelsOf(report).filter(({ bars }) => bars.length > 0);
  if (panels.length === 0) return;
  await writeChart(file, {
    title: {
      text: 'Proxies side by side',
      subtitle: `one of ${report.machine.processors} processors of ${report.machine.cpu} each; shorter is better`,
      anchor: 'start',
    },
    columns: 2,
    resolve: { scale: { color: 'independent' } },
    concat: panels.map(({ title, axis, bars }) => ({
      title: { text: title, anchor: 'start', fontSize: 12 },
      width: WIDTH,
      height: { step: BAR },
      data: { values: bars.map((bar) => ({ ...bar, family: familyOf(bar.peer as PeerName) })) },
      mark: { type: 'bar' },
      encoding: {
        y: { field: 'peer', type: 'nominal', sort: [...new Set(bars.map(({ peer }) => peer))], title: null },
        x: { field: 'value', type: 'quantitative', title: axis, stack: 'zero' },
        color: bars.some(({ kind }) => kind !== undefined) ? colorOf('kind', FAILURES) : colorOf('family', COLORS),
      },
    })),
  });
}

function colorOf(field: string, colors: Readonly<Record<string, string>>) {
  return {
    field,
    type: 'nominal' as const,
    title: null,
    scale: { domain: Object.keys(colors), range: Object.values(colors) },
    legend: field === 'kind' ? { orient: 'bottom' as const, columns: 1, labelLimit: 0 } : null,
  };
}

function panelsOf({ sections }: Report): Panel[] {
  const { throughput, streams, chaos, 'slow-pod': slowPod } = sections;
  const proxies = <Peer extends { readonly name: string }>(peers: readonly Peer[] | undefined) =>
    (peers ?? []).filter(({ name }) => (familyOf(name as PeerName) satisfies Family) !== 'direct');
  return [
    {
      title: 'Processor time of a request, all connections busy',
      axis: 'microseconds',
      bars: proxies(throughput?.peers).map(({ name, cpuMicroseconds }) => ({
        peer: name,
        value: median(cpuMicroseconds.map((value) => value ?? Number.NaN)),
      })),
    },
    {
      title: '100 streams: an event from pod to client, p99',
      axis: 'milliseconds',
      bars: (streams?.peers ?? []).map(({ name, transitP99 }) => ({ peer: name, value: median(transitP99) })),
    },
    {
      title: 'Latency with one of four pods at half speed, p99',
      axis: 'milliseconds',
      bars: (slowPod?.peers ?? []).map(({ name, p99 }) => ({ peer: name, value: p99 })),
    },
    {
      title: 'Lost while pods are killed, drained, frozen and broken',
      axis: 'requests',
      bars: (chaos?.peers ?? []).flatMap(({ name, requests, answered, avoidable, lostSilently }) => [
        { peer: name, value: avoidable, kind: 'avoidable failure' },
        { peer: name, value: lostSilently, kind: 'stream lost silently' },
        { peer: name, value: requests - answered - avoidable - lostSilently, kind: 'stream ended with `error`' },
      ]),
    },
  ];
}

if (import.meta.main) {
  const file = (name: string) => path.join(import.meta.dirname, name);
  await draw(JSON.parse(readFileSync(file('results.json'), 'utf8')) as Report, file('results.svg'));
}
