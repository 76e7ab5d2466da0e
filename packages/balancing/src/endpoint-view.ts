/** What a policy sees of a pod at the moment of a choice. */

export interface EndpointView {
  /** Names the pod for good; lists of endpoints are in its order, that of `<`. */
  readonly id: string;
  /** Whether it may get a request now: it is able, and below its cap. */
  readonly available: boolean;
  /** Requests that are with the pod. */
  readonly inFlight: number;
  /** Its share beside the others', over 0; lower while it starts slowly. */
  readonly weight: number;
  /** How long its answers take, the peak remembered (peak-ewma.ts), in milliseconds; undefined until it has answered. */
  readonly latencyMs: number | undefined;
}
