/** What is the same on the cluster and in the simulator? */
import type { MEASURED_CURVES } from '@ragscale/scaling/simulator/service-curve';

/** The recorded hour in so many minutes. */
export const WHOLE_MINUTES = 20;
export const OBJECTIVE_S = 8;
export const PERCENTILE = 99.5;
export const SLOTS = 16;
export const CURVE = 'w8a8-16' satisfies keyof typeof MEASURED_CURVES;
export const MEAN_SERVICE_MS = 1_000;
export const PROXIES = 2;
export const MIN_REPLICAS = 2;
export const MAX_REPLICAS = 40;
export const SCRAPE_MS = 2_500;

/** Until a pod says that it is ready; what Kubernetes adds is measured, and then simulated. */
export const LOADING_S = 15;
/** So that thirty pods leave the machine to the rest: a quarter as many steps as tokens. */
export const STRIDE = 4;

/** What must come out. */
export const LEAST_GOOD = 0.995;
export const MOST_APART = 0.15;
