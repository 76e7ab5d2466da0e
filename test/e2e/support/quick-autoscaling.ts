/** With which values does a test not wait long for the autoscaler? It measures and decides more often than by default, and looks less far back. */
import { pacedPods } from './paced-pods.ts';

export const PERIOD_MS = 2_000;
/** For so long nothing is taken away that was needed. */
export const WINDOW_MS = 10_000;
/** An answer of so many tokens takes a fifth of a second, one after the other. */
export const ANSWER_TOKENS = 8;

export interface QuickAutoscaling {
  readonly minReplicas: number;
  /** More of the LatencyAutoscaler's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** @returns values of the chart */
export function quickAutoscaling({ minReplicas, spec = {} }: QuickAutoscaling): Record<string, unknown> {
  const every = `${PERIOD_MS / 1_000}s`;
  const behavior = { scaleDown: { stabilizationWindowSeconds: WINDOW_MS / 1_000 } };
  return {
    ...pacedPods({ tokenMs: 25, slots: 1 }),
    'proxy.replicas': 1,
    'autoscaler.period': every,
    'prometheus.bundled.scrapeInterval': every,
    'variants.batched.autoscaling': {
      minReplicas,
      maxReplicas: 8,
      spec: { windows: ['10s', '20s'], behavior, ...spec },
    },
  };
}
