/** How many replicas does a target have, and how is that changed? By its scale subresource, as an HPA does it. */
import { z } from 'zod';
import { type Fleet, FleetError, type FleetState } from '../fleet.ts';
import type { Target } from '../target.ts';
import { type Api, fleetError, isStatus, type Right } from './api.ts';
import type { ScaleTargetRef } from './latency-autoscaler.ts';
import type { Owners } from './owners.ts';
import { countPods } from './pod-counts.ts';
import type { Pods } from './pods.ts';
import { type ScalePath, ScalePaths } from './scale-paths.ts';
import { type LabelSelector, parseSelector } from './selector.ts';

/** autoscaling/v1. Go leaves out what is zero. */
const scaleSchema = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  spec: z.object({ replicas: z.number().int().default(0) }).default({ replicas: 0 }),
  status: z.object({ selector: z.string().default('') }).default({ selector: '' }),
});
type Scale = z.output<typeof scaleSchema>;

export interface KubernetesFleetParts {
  readonly api: Api;
  readonly pods: Pick<Pods, 'matching'>;
  readonly owners: Pick<Owners, 'refuseOthers'>;
  /** What a target of this id is; undefined where there is none any more. */
  readonly referenceOf: (id: string) => ScaleTargetRef | undefined;
}

/** Between the look and the write a pod may have become ready, which changes the version and not the number. */
const WRITE_ATTEMPTS = 4;

export class KubernetesFleet implements Fleet {
  readonly #parts: KubernetesFleetParts;
  readonly #paths: ScalePaths;
  /** The version that the last look saw. */
  readonly #seen = new WeakMap<Target, Scale>();

  constructor(parts: KubernetesFleetParts) {
    this.#parts = parts;
    this.#paths = new ScalePaths(parts.api);
  }

  async look(target: Target, signal: AbortSignal): Promise<FleetState> {
    const { api, pods, owners } = this.#parts;
    const ref = this.#referenceOf(target);
    await owners.refuseOthers(ref, target.namespace, signal);
    const scale = await this.#read(target, ref, signal);
    const found = pods.matching(target.namespace, this.#selectorOf(ref, scale));
    const { ready, startingAgesMs, waitingFor } = countPods(found, api.serverNow() ?? Date.now());
    return {
      replicas: { spec: scale.spec.replicas, ready: ready.length, startingAgesMs },
      readyPods: ready,
      ...(waitingFor !== undefined && { waitingFor }),
    };
  }

  async scale(target: Target, from: number, to: number, signal: AbortSignal): Promise<void> {
    const ref = this.#referenceOf(target);
    let scale = this.#seen.get(target) ?? (await this.#read(target, ref, signal));
    for (let attempt = 1; ; attempt++) {
      const found = scale.spec.replicas;
      if (found === to) return;
      if (found !== from || attempt > WRITE_ATTEMPTS) {
        const change = found === from ? 'again and again' : `from ${from} to ${found} replicas`;
        const message = `somebody else has changed ${nameOf(ref)} ${change} meanwhile; it is looked at again`;
        throw new FleetError({ reason: 'Conflict', message });
      }
      const written = await this.#write(target, ref, scale, to, signal);
      if (written) return;
      scale = await this.#read(target, ref, signal);
    }
  }

  #referenceOf({ id }: Target): ScaleTargetRef {
    const ref = this.#parts.referenceOf(id);
    if (ref === undefined) {
      throw new FleetError({ reason: 'Deleted', message: `there is no LatencyAutoscaler ${id} any more` });
    }
    return ref;
  }

  async #read(target: Target, ref: ScaleTargetRef, signal: AbortSignal): Promise<Scale> {
    const at = await this.#paths.of(ref, target.namespace, signal);
    try {
      const scale = await this.#parts.api.request('GET', at.path, { schema: scaleSchema, signal });
      this.#seen.set(target, scale);
      return scale;
    } catch (error) {
      const doing = `the number of replicas of ${nameOf(ref)} cannot be read`;
      throw this.#refused(error, ref, rightOf(at, 'get', target), 'FailedGetScale', doing);
    }
  }

  /** @returns false where it has become another version meanwhile */
  async #write(target: Target, ref: ScaleTargetRef, seen: Scale, to: number, signal: AbortSignal): Promise<boolean> {
    const at = await this.#paths.of(ref, target.namespace, signal);
    const { resourceVersion } = seen.metadata;
    const body = { metadata: { resourceVersion }, spec: { replicas: to } };
    try {
      const scale = await this.#parts.api.request('PATCH', at.path, { body, schema: scaleSchema, signal });
      this.#seen.set(target, scale);
      return true;
    } catch (error) {
      if (isStatus(error, 409)) return false;
      const doing = `the number of replicas of ${nameOf(ref)} cannot be set to ${to}`;
      throw this.#refused(error, ref, rightOf(at, 'patch', target), 'FailedUpdateScale', doing);
    }
  }

  #refused(error: unknown, ref: ScaleTargetRef, right: Right, reason: string, doing: string): FleetError {
    if (!isStatus(error, 404)) return fleetError(error, right, reason, doing);
    // The object may be gone, or its kind.
    this.#paths.forget(ref.apiVersion);
    const message = `there is no ${nameOf(ref)} in the namespace ${right.namespace}: create it, or correct spec.scaleTargetRef`;
    return new FleetError({ reason: 'TargetNotFound', message }, { cause: error });
  }

  #selectorOf(ref: ScaleTargetRef, { status }: Scale): LabelSelector {
    try {
      const selector = parseSelector(status.selector);
      if (selector.length > 0) return selector;
    } catch (error) {
      const message = `the pods of ${nameOf(ref)} cannot be told from others: ${error instanceof Error ? error.message : error}`;
      throw new FleetError({ reason: 'InvalidSelector', message }, { cause: error });
    }
    const message = `the scale of ${nameOf(ref)} has no status.selector, so its pods cannot be told from others: set labelSelectorPath in its CustomResourceDefinition`;
    throw new FleetError({ reason: 'InvalidSelector', message });
  }
}

function nameOf({ kind, name }: ScaleTargetRef): string {
  return `${kind}/${name}`;
}

function rightOf({ resource, group }: ScalePath, verb: string, { namespace }: Target): Right {
  return { verb, resource, group, namespace };
}
