/** With which pods does the load decide how many there are, and not the machine? Those whose answers take a given time and no processor. */

/** An answer with all of its tokens. */
export const ANSWER_MS = 200;
export const ANSWER_TOKENS = 8;

/** Values of the chart: one answer at a time, five a second, by everything of a real pod but its models. */
export const PACED_PODS: Readonly<Record<string, unknown>> = {
  'pod.image.repository': 'ragscale/rag-paced',
  'pod.env': { PACE_TOKEN: `${ANSWER_MS / ANSWER_TOKENS}ms`, PACE_CURVE: 'single' },
  'pod.resources.requests': { cpu: '10m', memory: '64Mi' },
  'variants.batched.slots': 1,
};
