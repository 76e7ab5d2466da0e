/** With which values does the load decide how many pods there are, and not the machine? With pods whose answers take a given time and no processor. */

export interface PacedPods {
  /** A token of an answer that has its pod for itself. */
  readonly tokenMs: number;
  /** Answers at once, 16 of which take longer than one alone does. */
  readonly slots: 1 | 16;
}

/** Everything of such a pod but its models is that of a real one. @returns values of the chart */
export function pacedPods({ tokenMs, slots }: PacedPods): Record<string, unknown> {
  return {
    'pod.image.repository': 'ragscale/rag-paced',
    'pod.env': { PACE_TOKEN: `${tokenMs}ms`, PACE_CURVE: slots === 1 ? 'single' : 'fp32-16' },
    'pod.resources.requests': { cpu: '10m', memory: '64Mi' },
    'variants.batched.slots': slots,
  };
}
