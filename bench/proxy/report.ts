/** What does results.json hold? */
import type { Chaos } from './scenarios/chaos.ts';
import type { HeldConnections } from './scenarios/held.ts';
import type { Kill } from './scenarios/kill.ts';
import type { Latency } from './scenarios/latency.ts';
import type { SlowPod } from './scenarios/slow-pod.ts';
import type { Streams } from './scenarios/streams.ts';
import type { Throughput } from './scenarios/throughput.ts';

type Measured<Section> = Section & { readonly quick: boolean };

export interface Report {
  readonly machine: { readonly cpu: string; readonly processors: number };
  readonly versions: Readonly<Record<string, string>>;
  /** By scenario's name; those that were never measured are absent. */
  readonly sections: {
    readonly throughput?: Measured<Throughput>;
    readonly latency?: Measured<Latency>;
    readonly streams?: Measured<Streams>;
    readonly 'slow-pod'?: Measured<SlowPod>;
    readonly chaos?: Measured<Chaos>;
    readonly kill?: Measured<Kill>;
    readonly held?: Measured<HeldConnections>;
  };
}
