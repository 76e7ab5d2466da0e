/** What is there? The names of every object of a namespace and of the cluster, whatever its kind, so that before and after can be compared. */
import { cluster } from './cluster.ts';

/** They tell of what was, or follow Services. */
const PASSING = /^events(\.|$)|^ipaddresses\.|^namespaces$/;

export interface Names {
  readonly namespace: readonly string[];
  readonly cluster: readonly string[];
}

/** Of the namespace, sorted: `pod/x`, `deployment.apps/y`. */
export function objectsOf(namespace: string): Promise<string[]> {
  return names(['--namespaced=true'], ['--namespace', namespace]);
}

/** Of no namespace, sorted; namespaces themselves are not among them. */
export function objectsOfCluster(): Promise<string[]> {
  return names(['--namespaced=false'], []);
}

async function names(ofKinds: readonly string[], where: readonly string[]): Promise<string[]> {
  const all = await cluster().kubectl(['api-resources', '--verbs=list,delete', '--output=name', ...ofKinds]);
  const kinds = all.split('\n').filter((kind) => kind !== '' && !PASSING.test(kind));
  const found = await cluster().kubectl(['get', kinds.join(), ...where, '--output=name', '--ignore-not-found']);
  return found.split('\n').filter(Boolean).sort();
}
