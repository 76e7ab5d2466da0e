/** What of the autoscaler talks to Kubernetes, put together: which targets there are, their pods, and what is told about them. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import type { Fleet } from '../fleet.ts';
import type { Leadership } from '../leadership.ts';
import type { Reporter } from '../report.ts';
import type { Target, TargetSource } from '../target.ts';
import type { Api } from './api.ts';
import { EventRecorder } from './event-recorder.ts';
import { EventReporter } from './event-reporter.ts';
import { KubernetesFleet } from './kubernetes-fleet.ts';
import type { Namespaces } from './namespaced-watch.ts';
import { Owners } from './owners.ts';
import { Pods } from './pods.ts';
import { LatencyAutoscalerSource } from './resource-source.ts';
import { StatusReporter } from './status-reporter.ts';
import { StatusWriter } from './status-writer.ts';

export interface ClusterSideParts {
  readonly config: KubeConfig;
  /** Whoever gives it closes it, after `stop`. */
  readonly api: Api;
  readonly namespaces: Namespaces;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Which of several autoscalers this one is, for Events: the name of the pod. */
  readonly instance: string;
  /** See ListWatchOptions. */
  readonly watchSeconds?: number | undefined;
}

export class ClusterSide implements TargetSource {
  readonly fleet: Fleet;
  /** Status and Events. */
  readonly reporter: Reporter;
  readonly #source: LatencyAutoscalerSource;
  readonly #pods: Pods;
  readonly #writer: StatusWriter;
  readonly #recorder: EventRecorder;

  constructor(parts: ClusterSideParts) {
    const { api, leadership, clock, logger } = parts;
    const find = (id: string) => this.#source.find(id);
    this.#pods = new Pods(parts);
    this.#writer = new StatusWriter({ api, leadership, clock, logger });
    this.#recorder = new EventRecorder(parts);
    const statuses = new StatusReporter({ writer: this.#writer, find });
    const events = new EventReporter({ recorder: this.#recorder, find, leadership });
    this.#source = new LatencyAutoscalerSource({
      ...parts,
      onRefused: (resource, problem) => {
        statuses.refuse(resource, problem);
        events.refuse(resource, problem);
      },
      onGone: (id) => {
        this.#writer.forget(id);
        events.gone(id);
      },
    });
    this.fleet = new KubernetesFleet({
      api,
      pods: this.#pods,
      owners: new Owners(api, clock, logger),
      referenceOf: (id) => find(id)?.scaleTargetRef,
    });
    this.reporter = {
      report(report) {
        statuses.report(report);
        events.report(report);
      },
      forget(target) {
        statuses.forget(target);
        events.forget(target);
      },
    };
  }

  /** Resolves when the resources and the pods are known, or after `stop`. */
  async start(onTargets: (targets: readonly Target[]) => void): Promise<void> {
    this.#writer.start();
    await Promise.all([this.#source.start(onTargets), this.#pods.start()]);
  }

  /** Resolves when the last Events are written, or could not be within seconds. */
  async stop(): Promise<void> {
    await Promise.all([this.#source.stop(), this.#pods.stop(), this.#writer.stop(), this.#recorder.stop()]);
  }
}
