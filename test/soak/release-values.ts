/** What is installed for a soak? The chart, with enough of everything that one can go, and clocks that can be made to jump. */
import { CLOCK_FOLDER, CLOCK_OPTION } from './jumping-clock.ts';

export const PODS = 3;
export const MOST_PODS = 5;

/** In the containers; the one folder that can be written to. */
export const SCRATCH = '/tmp';

/** Two proxies and two autoscalers are the chart's own numbers. The heaps are the chart's too: NODE_OPTIONS is set as a whole. */
export const VALUES: Readonly<Record<string, unknown>> = {
  'variants.batched.autoscaling.minReplicas': PODS,
  'variants.batched.autoscaling.maxReplicas': MOST_PODS,
  'pod.env': environment(256),
  // Of requests only those that fail are logged.
  'proxy.env': { ...environment(192), ACCESS_LOG_PERCENT: '0' },
  'autoscaler.env': environment(160),
};

/** The scratch volume of the pods as one that can be filled: a file system of its own, in memory. */
export const SMALL_SCRATCH = {
  spec: {
    template: { spec: { volumes: [{ name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }] } },
  },
} as const;

function environment(heapMegabytes: number): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--max-old-space-size=${heapMegabytes} ${CLOCK_OPTION}`, [CLOCK_FOLDER]: SCRATCH };
}
