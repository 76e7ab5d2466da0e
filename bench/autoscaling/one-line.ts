/**
 * What do two proxies and round robin cost beside one line that knows everything? Formulas of queueing assume the latter.
 *
 *     node --conditions=source bench/autoscaling/one-line.ts [--quick]
 *
 * A fixed number of pods under steady Poisson load, from 50% to 90% of what they can do; writes one-line.md here.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { poissonArrivals } from '@ragscale/scaling/arrivals/poisson';
import { simulationOptions } from '@ragscale/scaling/simulator/defaults';
import type { ProxyOptions } from '@ragscale/scaling/simulator/options';
import { repeat } from '@ragscale/scaling/simulator/repeat';
import { factsOf, OBJECTIVE_MS, POD_KINDS, type PodKind } from './policies.ts';

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const SEEDS = flags.quick ? [1, 2] : [1, 2, 3, 4, 5, 6];
const DURATION_MS = (flags.quick ? 10 : 60) * 60_000;
const PODS: Record<PodKind, number> = { batched: 8, single: 20 };

/** `podConcurrency` of the slots themselves: nothing waits in a pod, and a line knows every free slot. */
function waysOf(slots: number): Record<string, Partial<ProxyOptions>> {
  return {
    'one line, no request in advance': { spread: 'least-request', podConcurrency: slots },
    'one proxy, least request': { spread: 'least-request' },
    'one proxy, round robin': { spread: 'round-robin' },
    'two proxies, least request': { count: 2, spread: 'least-request' },
    'two proxies, round robin': { count: 2, spread: 'round-robin' },
    'four proxies, round robin': { count: 4, spread: 'round-robin' },
  };
}

const sections = (Object.keys(POD_KINDS) as PodKind[]).map((kind) => {
  const pods = POD_KINDS[kind];
  const { peakRate } = factsOf(pods);
  const loads = [0.5, 0.6, 0.7, 0.8, 0.9];
  const rows = Object.entries(waysOf(pods.slots)).map(([name, proxies]) => {
    const cells = loads.map((load) => {
      const { estimates } = repeat(
        simulationOptions({
          arrivals: (random) =>
            poissonArrivals({ rate: load * PODS[kind] * peakRate, durationMs: DURATION_MS }, random),
          scaler: () => ({
            periodMs: DURATION_MS,
            decide: () => ({ replicas: PODS[kind], recommended: PODS[kind], reason: 'within-tolerance', terms: {} }),
          }),
          initialReplicas: PODS[kind],
          objectiveMs: OBJECTIVE_MS,
          pods,
          proxies,
        }),
        SEEDS,
      );
      const { p50, p99, violationShare } = estimates;
      return `${p50.mean.toFixed(0)}, ${p99.mean.toFixed(0)}; ${(100 * violationShare.mean).toFixed(2)}%`;
    });
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [
    `## ${PODS[kind]} pods, ${kind}`,
    [
      `| | ${loads.map((load) => `${100 * load}%`).join(' | ')} |`,
      `|---|${loads.map(() => '---|').join('')}`,
      ...rows,
    ].join('\n'),
  ].join('\n\n');
});
const text = `${[
  `Milliseconds, p50 and p99, and the share of answers beyond ${OBJECTIVE_MS / 1000} s, against the load as a share of what all slots together finish.`,
  ...sections,
].join('\n\n')}\n`;
writeFileSync(path.join(import.meta.dirname, 'one-line.md'), text);
console.log(text);
