/** Which rights does the autoscaler need? These and no more; the tests run with exactly these. */

/** As in a Role of rbac.authorization.k8s.io/v1. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** In each namespace that is looked after. */
export const TARGET_RULES: readonly Rule[] = [
  { apiGroups: ['ragscale.dev'], resources: ['latencyautoscalers'], verbs: ['list', 'watch'] },
  { apiGroups: ['ragscale.dev'], resources: ['latencyautoscalers/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['deployments/scale', 'statefulsets/scale'], verbs: ['get', 'patch'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['list'] },
  { apiGroups: ['keda.sh'], resources: ['scaledobjects'], verbs: ['list'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** For each further kind that is scaled; @param resource such as `services` of the group `serving.knative.dev` */
export function scaleRule(group: string, resource: string): Rule {
  return { apiGroups: [group], resources: [`${resource}/scale`], verbs: ['get', 'patch'] };
}

/** In the namespace of the Lease. The name of what is created cannot be told in a Role. */
export function leaseRules(leaseName: string): readonly Rule[] {
  const apiGroups = ['coordination.k8s.io'];
  const resources = ['leases'];
  return [
    { apiGroups, resources, resourceNames: [leaseName], verbs: ['get', 'update'] },
    { apiGroups, resources, verbs: ['create'] },
  ];
}
