/** What is told to the owner in the status of the resource? */
import type { Report, Reporter } from '../report.ts';
import type { Problem, Target } from '../target.ts';
import type { LatencyAutoscaler } from './latency-autoscaler.ts';
import type { WatchedTarget } from './resource-source.ts';
import { statusOf, statusOfRefusal } from './status.ts';
import type { StatusWriter } from './status-writer.ts';

export interface StatusReporterParts {
  readonly writer: Pick<StatusWriter, 'want' | 'forget'>;
  readonly find: (id: string) => WatchedTarget | undefined;
  /** Milliseconds since the epoch. */
  readonly wallNow?: () => number;
}

export class StatusReporter implements Reporter {
  readonly #parts: StatusReporterParts;

  constructor(parts: StatusReporterParts) {
    this.#parts = parts;
  }

  report(report: Report): void {
    const watched = this.#parts.find(report.target.id);
    // Edited while the round was under way: the next one is about what stands there now.
    if (watched?.target !== report.target) return;
    const { resource } = watched;
    this.#parts.writer.want(resource, (previous) => statusOf(report, previous, resource.metadata.generation));
  }

  forget({ id }: Target): void {
    this.#parts.writer.forget(id);
  }

  /** It cannot be taken up. */
  refuse(resource: LatencyAutoscaler, problem: Problem): void {
    const at = (this.#parts.wallNow ?? Date.now)();
    this.#parts.writer.want(resource, (previous) =>
      statusOfRefusal(problem, previous, resource.metadata.generation, at),
    );
  }
}
