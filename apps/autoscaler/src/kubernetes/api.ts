/** What of the API server is used for single objects, and what is said when it refuses. */

import type { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { FleetError } from '../fleet.ts';

/** The port; `KubernetesClient` is the adapter. */
export type Api = Pick<KubernetesClient, 'request' | 'serverNow'>;

/** Whoever is asked for something that may be missing. */
export function isStatus(error: unknown, status: number): boolean {
  return error instanceof KubernetesError && error.status === status;
}

export interface Right {
  readonly verb: string;
  /** As in a Role, such as `deployments/scale`. */
  readonly resource: string;
  /** API group as in a Role; empty for the core. */
  readonly group: string;
  readonly namespace: string;
}

/** @param reason of the problem unless the refusal has one of its own; @param doing such as `the scale of Deployment/rag cannot be read` */
export function fleetError(error: unknown, right: Right, reason: string, doing: string): FleetError {
  if (error instanceof FleetError) return error;
  if (isStatus(error, 403)) {
    const { verb, resource, group, namespace } = right;
    const needed = `${verb} on ${resource} (API group ${JSON.stringify(group)}) in the namespace ${namespace}`;
    const message = `${doing}: a right is missing: bind a Role with ${needed} to the ServiceAccount of the autoscaler`;
    return new FleetError({ reason: 'Forbidden', message }, { cause: error });
  }
  if (isStatus(error, 401)) {
    const message = `${doing}: the API server does not accept the credentials of the autoscaler`;
    return new FleetError({ reason: 'Unauthorized', message }, { cause: error });
  }
  return new FleetError({ reason, message: `${doing}: ${wordsOf(error)}` }, { cause: error });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
