/** Which of the resources are taken up, and why not the others? */
import type { Problem } from '../target.ts';
import { groupOf, type LatencyAutoscaler, type SpecTarget, targetOf } from './latency-autoscaler.ts';

export interface Choice {
  readonly taken: readonly { readonly resource: LatencyAutoscaler; readonly target: SpecTarget }[];
  readonly refused: readonly { readonly resource: LatencyAutoscaler; readonly problem: Problem }[];
}

/**
 * Of several that scale the same thing the oldest is taken up.
 * @param read what one asks for: whoever calls may remember it
 */
export function chooseTargets(resources: readonly LatencyAutoscaler[], read = targetOf): Choice {
  const taken: Choice['taken'][number][] = [];
  const refused: Choice['refused'][number][] = [];
  const owners = new Map<string, LatencyAutoscaler>();
  for (const resource of resources.toSorted(byAge)) {
    const asked = read(resource);
    if ('problem' in asked) {
      refused.push({ resource, problem: asked.problem });
      continue;
    }
    const { target } = asked;
    const owner = owners.get(scaledBy(target));
    if (owner === undefined) {
      owners.set(scaledBy(target), resource);
      taken.push({ resource, target });
    } else refused.push({ resource, problem: ownedBy(owner, target) });
  }
  return { taken, refused };
}

/**
 * As texts: the API server writes all times alike. Of two that were made within one second the name decides, so that everybody decides
 * alike.
 */
function byAge({ metadata: a }: LatencyAutoscaler, { metadata: b }: LatencyAutoscaler): number {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? -1 : 1;
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}

/** Versions of one group are views of the same thing. */
function scaledBy({ namespace, scaleTargetRef: { apiVersion, kind, name } }: SpecTarget): string {
  return [namespace, groupOf(apiVersion), kind, name].join('/');
}

function ownedBy({ metadata }: LatencyAutoscaler, { scaleTargetRef: { kind, name } }: SpecTarget): Problem {
  const message = `the LatencyAutoscaler ${metadata.name} scales ${kind}/${name} already, and it is older: delete one of the two`;
  return { reason: 'AmbiguousOwner', message };
}
