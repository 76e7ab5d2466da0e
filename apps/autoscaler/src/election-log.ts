/** What do people read about who decides? A line for each change, and for each new trouble. */
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import type { Logger } from 'pino';
import type { LeaderElectionOptions } from './leader-election.ts';

export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

/** @param identity of this process, as it stands in the Lease */
export function electionLog(
  logger: Logger,
  { namespace, name }: LeaseName,
  identity: string,
): Pick<LeaderElectionOptions, 'onChange' | 'onTrouble' | 'onRecovered'> {
  const lease = `${namespace}/${name}`;
  const told = new Set<string>();
  return {
    onChange(isLeader, holder) {
      if (isLeader) logger.info({ lease, identity }, 'this process decides');
      else if (holder === identity)
        logger.info({ lease, identity }, 'this process holds the Lease, and must not decide now');
      else logger.info({ lease, identity, holder }, 'this process stands by');
    },
    onTrouble(error, failures) {
      const words = wordsFor(error, namespace, name);
      // The first time for everybody, then for those who look for it: it may take hours.
      logger[told.has(words) ? 'debug' : 'warn']({ err: error, failures, lease }, words);
      told.add(words);
    },
    onRecovered() {
      told.clear();
      logger.info({ lease }, 'the Lease can be asked for again');
    },
  };
}

function wordsFor(error: unknown, namespace: string, name: string): string {
  const status = error instanceof KubernetesError ? error.status : undefined;
  if (status === 403) {
    const group = 'API group coordination.k8s.io';
    const needed = `get and update on the lease ${name} and create on leases (${group}) in the namespace ${namespace}`;
    return `a right is missing: bind a Role with ${needed} to the ServiceAccount; nobody decides until then`;
  }
  if (status === 401) return 'the API server does not accept the credentials; who decides is not known';
  // To read one that is not there is no error: what is missing is where it would be.
  if (status === 404) return `there is no namespace ${namespace} for the Lease: create it, or set LEASE_NAMESPACE`;
  return 'the Lease cannot be read or renewed; whoever held it stops deciding soon';
}
