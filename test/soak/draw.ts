/** How did the run go over time? Load and outcomes, latency, replicas and memory, with the faults as bands behind them. */
import { writeChart } from '../../bench/lib/chart.ts';
import { quantile } from '../../bench/serving/summary.ts';
import { FAULT_KINDS, faultOf } from './faults.ts';
import type { Report } from './report.ts';

const WIDTH = 1_000;
const BUCKETS = 120;
const OUTCOMES = {
  answered: '#59a14f',
  refused: '#edc948',
  broken: '#f28e2b',
  failed: '#e15759',
} as const;
const PART_COLORS = { pods: '#4e79a7', proxies: '#b07aa1', control: '#9c755f' } as const;

type Spec = Parameters<typeof writeChart>[1];

export async function drawTimeline(report: Report, file: string): Promise<void> {
  const { options } = report;
  const x = {
    field: 'minutes',
    type: 'quantitative',
    title: null,
    scale: { domain: [0, options.minutes], nice: false },
  } as const;
  const { account, passed } = verdictParts(report);
  await writeChart(file, {
    title: {
      text: `Soak: ${options.minutes} minutes, ${options.rate} requests a second, ${passed ? 'passed' : 'FAILED'}`,
      subtitle: `${account.answered} answered, ${account.refused} refused, ${account.broken} broken off with an error event, ${account.failed} failed; faults as bands`,
      anchor: 'start',
    },
    vconcat: [faultPanel(report, x), ...[outcomes, latency, replicas, memory].map((panel) => panel(report, x))],
    resolve: { scale: { color: 'independent', x: 'shared' } },
  } as unknown as Spec);
}

function verdictParts({ verdict }: Report) {
  return verdict;
}

/** What was really done. */
function bands({ faults }: Report) {
  return faults
    .filter(({ victim }) => victim !== '')
    .map(({ kind, fromMs, toMs }) => ({
      kind,
      part: faultOf(kind).part,
      from: fromMs / 60_000,
      to: Math.max(toMs, fromMs + 500) / 60_000,
    }));
}

const partColor = {
  field: 'part',
  type: 'nominal',
  title: 'fault of',
  scale: { domain: Object.keys(PART_COLORS), range: Object.values(PART_COLORS) },
} as const;

function faultPanel(report: Report, x: object) {
  const present = FAULT_KINDS.filter((kind) => report.faults.some((fault) => fault.kind === kind));
  return {
    width: WIDTH,
    height: 15 * Math.max(1, present.length),
    data: { values: bands(report) },
    mark: 'bar',
    encoding: {
      x: { ...x, field: 'from' },
      x2: { field: 'to' },
      y: { field: 'kind', type: 'nominal', title: null, scale: { domain: present } },
      color: partColor,
    },
  };
}

function layered(report: Report, x: object, height: number, layer: object[]) {
  const band = {
    data: { values: bands(report) },
    mark: { type: 'rect', opacity: 0.12 },
    encoding: { x: { ...x, field: 'from' }, x2: { field: 'to' }, color: { ...partColor, legend: null } },
  };
  return { width: WIDTH, height, layer: [band, ...layer], resolve: { scale: { color: 'independent' } } };
}

function outcomes(report: Report, x: object) {
  const stepMs = stepOf(report);
  const buckets = Map.groupBy(report.records, ({ dueMs }) => Math.floor(dueMs / stepMs));
  const values = [...buckets].flatMap(([bucket, of]) => {
    const from = (bucket * stepMs) / 60_000;
    let low = 0;
    return Object.keys(OUTCOMES).map((outcome) => {
      const high = low + of.filter((record) => record.outcome === outcome).length / (stepMs / 1_000);
      const bar = { from, to: from + stepMs / 60_000, outcome, low, high };
      low = high;
      return bar;
    });
  });
  const color = {
    field: 'outcome',
    type: 'nominal',
    title: 'requests',
    scale: { domain: Object.keys(OUTCOMES), range: Object.values(OUTCOMES) },
  };
  const y = { field: 'low', type: 'quantitative', title: 'requests/s' };
  return layered(report, x, 110, [
    {
      data: { values: values.filter(({ low, high }) => high > low) },
      mark: 'rect',
      encoding: { x: { ...x, field: 'from' }, x2: { field: 'to' }, y, y2: { field: 'high' }, color },
    },
  ]);
}

function latency(report: Report, x: object) {
  const stepMs = stepOf(report);
  const answered = report.records.filter(({ outcome }) => outcome === 'answered');
  const groups = Map.groupBy(answered, ({ dueMs }) => Math.floor(dueMs / stepMs));
  const values = [...groups].flatMap(([bucket, of]) =>
    ([0.5, 0.95, 1] as const).map((q) => ({
      minutes: ((bucket + 0.5) * stepMs) / 60_000,
      seconds:
        quantile(
          of.map(({ durationMs }) => durationMs),
          q,
        ) / 1_000,
      quantile: q === 1 ? 'longest' : `p${q * 100}`,
    })),
  );
  const color = {
    field: 'quantile',
    type: 'nominal',
    title: 'latency',
    scale: { domain: ['p50', 'p95', 'longest'], range: ['#1f77b4', '#76b7b2', '#e15759'] },
  };
  const y = { field: 'seconds', type: 'quantitative', title: 'seconds', scale: { type: 'log', nice: false } };
  return layered(report, x, 110, [
    { data: { values }, mark: { type: 'line', strokeWidth: 1 }, encoding: { x, y, color } },
  ]);
}

function replicas(report: Report, x: object) {
  const values = report.replicas.flatMap(({ atMs, wanted, able }) =>
    Object.entries({ wanted, able }).map(([which, count]) => ({ minutes: atMs / 60_000, which, count })),
  );
  const color = {
    field: 'which',
    type: 'nominal',
    title: 'pods',
    scale: { domain: ['wanted', 'able'], range: ['#f2a0a1', '#d62728'] },
  };
  const y = { field: 'count', type: 'quantitative', title: 'pods', scale: { zero: true }, axis: { tickMinStep: 1 } };
  const mark = { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 };
  return layered(report, x, 80, [{ data: { values }, mark, encoding: { x, y, color } }]);
}

function memory(report: Report, x: object) {
  const values = report.lives.flatMap(({ name, part, startedAt, points }) =>
    points.process_resident_memory_bytes.map(({ atMs, value }) => ({
      minutes: atMs / 60_000,
      megabytes: value / 1e6,
      part,
      life: `${name} ${startedAt}`,
    })),
  );
  const color = { field: 'part', type: 'nominal', title: 'memory of a', scale: { scheme: 'dark2' } };
  const y = { field: 'megabytes', type: 'quantitative', title: 'MB resident' };
  return layered(report, { ...x, title: 'minutes' }, 150, [
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 1 },
      encoding: { x: { ...x, title: 'minutes' }, y, color, detail: { field: 'life' } },
    },
  ]);
}

function stepOf({ options }: Report): number {
  return Math.max(1_000, (options.minutes * 60_000) / BUCKETS);
}
