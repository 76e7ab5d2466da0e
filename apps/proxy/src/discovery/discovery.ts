/** Where are the pods? The port of every way to find them. */

export interface FoundEndpoint {
  /** `host:port`, stable while the pod lives. */
  readonly id: string;
  /** `http://host:port`. */
  readonly origin: string;
  /** Over 0; 1 unless configured. */
  readonly weight: number;
  /** What the source says of it; `ready` where the source cannot know. The proxy's own probes come on top. */
  readonly condition: 'ready' | 'not-ready' | 'terminating';
  /** Preferred over those that are not: it is in this zone, or nobody speaks of zones. */
  readonly local: boolean;
}

export interface Discovery {
  /**
   * Calls `onChange` with the whole list whenever it changes, in the order of ids, each id once.
   * Resolves once the first list has been handed over; a source that cannot be reached is asked again, with a growing pause, until `stop`.
   */
  start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void>;
  /** No call of `onChange` comes after it. */
  stop(): Promise<void>;
}
