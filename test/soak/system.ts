/** What does the soak need of a system, wherever that runs: where it is asked, how it is hurt, and what can be seen of its processes? */
import type { FaultKind } from './faults.ts';

/** A process that serves metrics. */
export interface ProcessView {
  /** Such as `pod ragscale-batched-7d9c`; the same after a restart. */
  readonly name: string;
  readonly part: 'pod' | 'proxy' | 'autoscaler';
  /** What stands at its `/metrics`. @throws when it does not answer */
  readonly metrics: () => Promise<string>;
}

export interface Replicas {
  readonly wanted: number;
  readonly able: number;
}

/** A fault that has begun. */
export interface Begun {
  readonly victim: string;
  /** Undefined where nothing can be undone: what died comes back by itself. */
  readonly undo?: () => Promise<void>;
}

/** Why nothing was done, in words. */
export interface LeftOut {
  readonly because: string;
}

export interface System extends AsyncDisposable {
  /** In words, for the report. */
  readonly what: string;
  /** The proxy's, for clients. */
  readonly url: string;
  /** What cannot be done here, and why. */
  readonly impossible: ReadonlyMap<FaultKind, string>;
  /** @param draw from 0 to 1: which of those that could be hit */
  begin(kind: FaultKind, draw: number): Promise<Begun | LeftOut>;
  processes(): Promise<readonly ProcessView[]>;
  replicas(): Promise<Replicas>;
  /** Whether each takes requests. */
  areProxiesReady(): Promise<boolean>;
  /** What proxies and pods wrote of these requests, the latest last; a process that was killed may have taken some of it along. */
  linesAbout(requestIds: ReadonlySet<string>): Promise<readonly string[]>;
  /** Whether everything that should be there is, and able. */
  isWhole(): Promise<boolean>;
}
