/** How alike are the two? Load, replicas and latency over time, the cluster's and the simulator's on each other. */
import { writeChart } from '../../../bench/lib/chart.ts';
import type { Results, Timeline } from './results.ts';

const CLUSTER = 'cluster';
const SIMULATOR = 'simulator';
const COLOR = {
  field: 'where',
  type: 'nominal',
  title: null,
  scale: { domain: [CLUSTER, SIMULATOR], range: ['#d62728', '#1f77b4'] },
} as const;
const X = { field: 'minutes', type: 'quantitative', title: 'minutes' } as const;

export async function drawReplicas({ arrivals, cluster, simulator, settings }: Results, file: string): Promise<void> {
  const both = (part: keyof Timeline) => [
    ...cluster.timeline[part].map((row) => ({ ...row, where: CLUSTER })),
    ...simulator.timeline[part].map((row) => ({ ...row, where: SIMULATOR })),
  ];
  const panel = (values: readonly object[], field: string, title: string, more: readonly object[] = []) => {
    const y = { field, type: 'quantitative', title };
    const mark = { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 };
    return {
      width: 900,
      height: 180,
      data: { values },
      layer: [
        values === arrivals
          ? { mark: { ...mark, color: '#444444' }, encoding: { x: X, y } }
          : { mark, encoding: { x: X, y, color: COLOR } },
        ...more,
      ],
    };
  };
  const objective = {
    mark: { type: 'rule', strokeDash: [4, 4], color: '#999999' },
    encoding: { y: { datum: settings.objectiveS, type: 'quantitative' } },
  };
  const { replicaSeconds, violations } = simulator;
  await writeChart(file, {
    title: {
      text: 'The recorded load on a cluster, and in the simulator',
      subtitle: `replica-seconds ${Math.round(cluster.replicaSeconds)} and ${Math.round(replicaSeconds.mean)}; good ${percent(cluster.goodShare)} and ${percent(1 - violations.mean)}; objective ${settings.objectiveS} s, cold start ${settings.coldStartS} s`,
      anchor: 'start',
    },
    vconcat: [
      panel(arrivals, 'rate', 'requests/s'),
      panel(both('replicas'), 'existing', 'replicas that cost'),
      panel(both('latency'), 'p95', 'p95, s', [objective]),
    ],
  } as Parameters<typeof writeChart>[1]);
}

export const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
