/** How do the parts of a cluster know each other? One certificate that is its own authority, and a token for each part. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { inFolder, type Layout } from './layout.ts';
import { run } from './namespaces.ts';

type User = 'admin' | 'controller-manager' | 'scheduler' | 'kubelet' | 'proxy' | 'dns';

/** The users and groups that Kubernetes' own roles are bound to. */
function identities(layout: Layout): Readonly<Record<User, { readonly user: string; readonly group?: string }>> {
  return {
    admin: { user: 'admin', group: 'system:masters' },
    'controller-manager': { user: 'system:kube-controller-manager' },
    scheduler: { user: 'system:kube-scheduler' },
    kubelet: { user: `system:node:${layout.name}`, group: 'system:nodes' },
    proxy: { user: 'system:kube-proxy' },
    dns: { user: 'dns', group: 'system:masters' },
  };
}

export function makeCredentials(layout: Layout): void {
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const addresses = [layout.nodeAddress, layout.kubernetesAddress, '127.0.0.1'];
  const subjects = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)];
  run([
    ...(['openssl', 'req', '-x509', '-nodes', '-days', '365', '-newkey', 'ec'] as const),
    ...['-pkeyopt', 'ec_paramgen_curve:P-256', '-addext', `subjectAltName=${subjects.join(',')}`],
    // The API server is also a client, of the kubelet.
    ...['-subj', '/O=system:masters/CN=kube-apiserver'],
    ...['-keyout', inFolder(layout, 'server.key'), '-out', inFolder(layout, 'server.crt')],
  ]);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  secret(inFolder(layout, 'service-accounts.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());

  mkdirSync(inFolder(layout, 'kubeconfigs'));
  const lines = Object.entries(identities(layout)).map(([name, { user, group = '' }]) => {
    const token = randomBytes(16).toString('hex');
    secret(kubeconfigOf(layout, name as User), kubeconfig(layout, name, token));
    return `${token},${user},${user},"${group}"\n`;
  });
  secret(inFolder(layout, 'tokens.csv'), lines.join(''));
}

/** The file of one part. */
export function kubeconfigOf(layout: Layout, user: User): string {
  return user === 'admin' ? layout.kubeconfig : inFolder(layout, 'kubeconfigs', user);
}

function kubeconfig(layout: Layout, user: string, token: string): string {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: layout.name, server: layout.apiServer, caFile: inFolder(layout, 'server.crt') }],
    users: [{ name: user, token }],
    contexts: [{ name: layout.name, cluster: layout.name, user }],
    currentContext: layout.name,
  });
  return config.exportConfig();
}

function secret(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 });
}
