/** Which targets are there? Those of the LatencyAutoscalers that are watched, as far as they can be taken up. */
import type { Problem, Target, TargetSource } from '../target.ts';
import { chooseTargets } from './choose-targets.ts';
import {
  GROUP_VERSION,
  type LatencyAutoscaler,
  latencyAutoscalerSchema,
  PLURAL,
  type ScaleTargetRef,
  type SpecTarget,
  targetOf,
} from './latency-autoscaler.ts';
import { NamespacedWatch, type NamespacedWatchOptions } from './namespaced-watch.ts';

export interface LatencyAutoscalerSourceOptions
  extends Omit<NamespacedWatchOptions<LatencyAutoscaler>, 'kind' | 'schema' | 'onChange'> {
  /** After every change, for each that cannot be taken up, and once for each that is gone. */
  onRefused(resource: LatencyAutoscaler, problem: Problem): void;
  onGone(id: string): void;
}

export interface WatchedTarget {
  /** The same object until the owner edits the resource. */
  readonly target: Target;
  readonly scaleTargetRef: ScaleTargetRef;
  /** As it was watched last. */
  readonly resource: LatencyAutoscaler;
}

const HINT = 'install it: kubectl apply --server-side -f charts/ragscale/crds';

export class LatencyAutoscalerSource implements TargetSource {
  readonly #options: LatencyAutoscalerSourceOptions;
  readonly #watch: NamespacedWatch<LatencyAutoscaler>;
  #onTargets: (targets: readonly Target[]) => void = () => undefined;
  /** By id; in their order. */
  #targets = new Map<string, WatchedTarget>();
  #ids = new Set<string>();
  /** Of all edits there were: annotations and a new resource of the same name do not raise the resource's own. */
  #generation = 0;
  #hasHandedOver = false;
  /** An object that has not changed is not read again. */
  readonly #read = new WeakMap<LatencyAutoscaler, ReturnType<typeof targetOf>>();

  constructor(options: LatencyAutoscalerSourceOptions) {
    this.#options = options;
    this.#watch = new NamespacedWatch({
      ...options,
      kind: { group: `/apis/${GROUP_VERSION}`, plural: PLURAL, hint: HINT },
      schema: latencyAutoscalerSchema,
      onChange: () => this.#take(this.#watch.all()),
    });
  }

  start(onTargets: (targets: readonly Target[]) => void): Promise<void> {
    this.#onTargets = onTargets;
    return this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  /** @param id `namespace/name`; @returns undefined also for one that cannot be taken up */
  find(id: string): WatchedTarget | undefined {
    return this.#targets.get(id);
  }

  #take(all: readonly LatencyAutoscaler[]): void {
    const { onRefused, onGone } = this.#options;
    const resources = all.filter(({ metadata }) => !metadata.deletionTimestamp);
    const { taken, refused } = chooseTargets(resources, (resource) => this.#readOf(resource));
    const targets = new Map(taken.map(({ resource, target }) => [target.id, this.#watched(resource, target)]));
    const ids = new Set(resources.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
    const gone = [...this.#ids].filter((id) => !ids.has(id));
    const isChanged = isOther(this.#targets, targets);
    this.#targets = targets;
    this.#ids = ids;
    for (const id of gone) onGone(id);
    for (const { resource, problem } of refused) onRefused(resource, problem);
    if (!isChanged && this.#hasHandedOver) return;
    this.#hasHandedOver = true;
    this.#onTargets([...targets.values()].map(({ target }) => target));
  }

  #readOf(resource: LatencyAutoscaler): ReturnType<typeof targetOf> {
    const read = this.#read.get(resource) ?? targetOf(resource);
    this.#read.set(resource, read);
    return read;
  }

  #watched(resource: LatencyAutoscaler, { scaleTargetRef, ...wanted }: SpecTarget): WatchedTarget {
    const before = this.#targets.get(wanted.id);
    if (before?.resource === resource) return before;
    const isSame =
      before !== undefined &&
      before.resource.metadata.uid === resource.metadata.uid &&
      before.resource.metadata.generation === resource.metadata.generation &&
      JSON.stringify(before.target.policy) === JSON.stringify(wanted.policy);
    const target = isSame ? before.target : { ...wanted, generation: ++this.#generation };
    return { target, scaleTargetRef, resource };
  }
}

function isOther(before: ReadonlyMap<string, WatchedTarget>, after: ReadonlyMap<string, WatchedTarget>): boolean {
  return before.size !== after.size || [...after].some(([id, { target }]) => before.get(id)?.target !== target);
}
