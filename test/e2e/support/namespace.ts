/** Where does a test install? In a namespace of its own that enforces Pod Security `restricted`, and that is gone afterwards. */
import { randomBytes } from 'node:crypto';
import { cluster } from './cluster.ts';
import { waitFor } from './wait-for.ts';

/** @param purpose a word of the test @returns the name, `e2e-<purpose>-<random>` */
export async function createNamespace(purpose: string): Promise<string> {
  const name = `e2e-${purpose}-${randomBytes(2).toString('hex')}`;
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  await cluster().request('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  // What controllers put into every namespace; a pod is refused before its ServiceAccount is there.
  const ready = () =>
    Promise.all([
      cluster().request('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`),
      cluster().request('GET', `/api/v1/namespaces/${name}/configmaps/kube-root-ca.crt`),
    ]);
  await waitFor(`the namespace ${name} has what controllers put into it`, ready, { timeoutMs: 60_000 });
  return name;
}

/** With everything in it; pods get no time to say goodbye. One that is not there is fine. */
export async function removeNamespace(name: string): Promise<void> {
  const quickly = ['--grace-period=0', '--force', '--wait=false', '--ignore-not-found'];
  const ends = ['--wait=false', '--ignore-not-found'];
  await cluster().kubectl(['delete', 'namespace', name, ...ends]);
  // Whoever makes pods goes first; otherwise there would be new ones until the namespace notices.
  await cluster()
    .kubectl(['delete', 'deployments,jobs', '--all', '--namespace', name, ...ends])
    .catch(() => {});
  await waitFor(
    `the namespace ${name} is gone`,
    async () => {
      await cluster()
        .kubectl(['delete', 'pods', '--all', '--namespace', name, ...quickly])
        .catch(() => {});
      const left = await cluster().kubectl(['get', 'namespace', name, '--output=name', '--ignore-not-found']);
      return left === '';
    },
    { everyMs: 1_000, namespace: name },
  );
}
