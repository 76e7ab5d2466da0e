/** Does somebody else scale the same pods? Two who do would undo each other's work without end. */
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import { z } from 'zod';
import { FleetError } from '../fleet.ts';
import { type Api, fleetError, isStatus } from './api.ts';
import { groupOf, type ScaleTargetRef } from './latency-autoscaler.ts';

/** Listed anew so often, and not watched: another owner is rare, and its arrival is no emergency. */
const FRESH_MS = 30_000;
/** While listing fails, what was found before is believed for so long. */
const STALE_MS = 300_000;

const referenceSchema = z.object({
  apiVersion: z.string().nullish(),
  kind: z.string().nullish(),
  name: z.string().nullish(),
});
const ownersSchema = z.object({
  items: z
    .array(
      z.object({
        metadata: z.object({ name: z.string() }),
        spec: z.object({ scaleTargetRef: referenceSchema.nullish() }).nullish(),
      }),
    )
    .nullish(),
});

interface OwnerKind {
  readonly kind: string;
  readonly base: string;
  readonly group: string;
  readonly plural: string;
  /** It may be that there is no such kind, or that we may not see it. */
  readonly optional: boolean;
}

/** KEDA first: it makes a HorizontalPodAutoscaler, and that one comes back when it is deleted. */
const KINDS: readonly OwnerKind[] = [
  {
    kind: 'ScaledObject',
    base: '/apis/keda.sh/v1alpha1',
    group: 'keda.sh',
    plural: 'scaledobjects',
    optional: true,
  },
  {
    kind: 'HorizontalPodAutoscaler',
    base: '/apis/autoscaling/v2',
    group: 'autoscaling',
    plural: 'horizontalpodautoscalers',
    optional: false,
  },
];

interface Owned {
  readonly owner: string;
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

interface Cached {
  readonly at: number;
  readonly owned: Promise<readonly Owned[]>;
  /** The answer before that one, while it may still be believed. */
  readonly before: { readonly at: number; readonly owned: readonly Owned[] } | undefined;
}

export class Owners {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** By plural and namespace. */
  readonly #cached = new Map<string, Cached>();
  readonly #told = new Set<string>();

  constructor(api: Api, clock: Clock, logger: Logger) {
    this.#api = api;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws FleetError where somebody else owns it, or that cannot be known */
  async refuseOthers(ref: ScaleTargetRef, namespace: string, signal: AbortSignal): Promise<void> {
    const lists = await Promise.all(KINDS.map((kind) => this.#ownedBy(kind, namespace, signal)));
    const group = groupOf(ref.apiVersion);
    const other = lists.flat().find((one) => one.name === ref.name && one.kind === ref.kind && one.group === group);
    if (other === undefined) return;
    const message = `${other.owner} scales ${ref.kind}/${ref.name} too: delete one of the two, this one holds still meanwhile`;
    throw new FleetError({ reason: 'AmbiguousOwner', message });
  }

  #ownedBy(kind: OwnerKind, namespace: string, signal: AbortSignal): Promise<readonly Owned[]> {
    const key = `${kind.plural}/${namespace}`;
    const now = this.#clock.now();
    const cached = this.#cached.get(key);
    if (cached && now - cached.at < FRESH_MS) return cached.owned;
    const before = cached?.before && now - cached.before.at < STALE_MS ? cached.before : undefined;
    const owned = this.#list(kind, namespace, signal).then(
      (found) => {
        this.#cached.set(key, { at: now, owned, before: { at: now, owned: found } });
        return found;
      },
      (error: unknown) => {
        // The next look asks again.
        this.#cached.set(key, { at: Number.NEGATIVE_INFINITY, owned, before });
        if (before === undefined) throw error;
        return before.owned;
      },
    );
    this.#cached.set(key, { at: now, owned, before });
    return owned;
  }

  async #list(kind: OwnerKind, namespace: string, signal: AbortSignal): Promise<readonly Owned[]> {
    try {
      const path = `${kind.base}/namespaces/${namespace}/${kind.plural}`;
      const { items } = await this.#api.request('GET', path, { schema: ownersSchema, signal });
      return (items ?? []).flatMap(({ metadata, spec }) => {
        const ref = spec?.scaleTargetRef;
        if (!ref?.name) return [];
        const group = groupOf(ref.apiVersion || 'apps/v1');
        return [{ owner: `${kind.kind} ${metadata.name}`, group, kind: ref.kind || 'Deployment', name: ref.name }];
      });
    } catch (error) {
      if (kind.optional && isStatus(error, 404)) return [];
      const right = { verb: 'list', resource: kind.plural, group: kind.group, namespace };
      const refused = fleetError(
        error,
        right,
        'FailedGetOwners',
        'whether somebody else scales the target is not known',
      );
      if (!kind.optional || !isStatus(error, 403)) throw refused;
      if (!this.#told.has(namespace)) this.#logger.warn({ namespace }, refused.message);
      this.#told.add(namespace);
      return [];
    }
  }
}
