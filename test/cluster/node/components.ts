/** Which programs make a Kubernetes of one node, and with which flags? */
import path from 'node:path';
import { kubeconfigOf } from './credentials.ts';
import { inFolder, type Layout } from './layout.ts';
import { CNI_PLUGINS } from './programs.ts';

export interface Component {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** That have to be there when it starts: paths and contents. */
  readonly files: Readonly<Record<string, string>>;
}

const ETCD = 'http://127.0.0.1:2379';
const ETCD_PEER = 'http://127.0.0.1:2380';
const DOMAIN = 'cluster.local';

export function etcd(layout: Layout): Component {
  return component('etcd', [
    '--name=node',
    `--data-dir=${inFolder(layout, 'etcd')}`,
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=node=${ETCD_PEER}`,
    // A cluster is not expected to survive its machine.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
}

export function apiServer(layout: Layout): Component {
  const certificate = inFolder(layout, 'server.crt');
  const key = inFolder(layout, 'server.key');
  const serviceAccounts = inFolder(layout, 'service-accounts.key');
  return component('kube-apiserver', [
    `--etcd-servers=${ETCD}`,
    `--advertise-address=${layout.nodeAddress}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${layout.serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--token-auth-file=${inFolder(layout, 'tokens.csv')}`,
    `--tls-cert-file=${certificate}`,
    `--tls-private-key-file=${key}`,
    `--kubelet-client-certificate=${certificate}`,
    `--kubelet-client-key=${key}`,
    `--kubelet-certificate-authority=${certificate}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccounts}`,
    `--service-account-signing-key-file=${serviceAccounts}`,
  ]);
}

export function containerd(layout: Layout): Component {
  const networks = inFolder(layout, 'networks');
  const configuration = `version = 3
imports = []
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.image-verifier.v1.bindir"]

[grpc]
address = "${layout.containerdSocket}"

[plugins."io.containerd.internal.v1.opt"]
path = "${inFolder(layout, 'opt')}"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
# Where root lacks CAP_SYS_RESOURCE, negative scores are refused.
restrict_oom_score_adj = true
cni = { bin_dirs = ["${CNI_PLUGINS}"], conf_dir = "${networks}" }
`;
  const file = inFolder(layout, 'containerd.toml');
  return component('containerd', [`--config=${file}`], { [file]: configuration });
}

export function controllerManager(layout: Layout): Component {
  return component('kube-controller-manager', [
    `--kubeconfig=${kubeconfigOf(layout, 'controller-manager')}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${inFolder(layout, 'service-accounts.key')}`,
    `--root-ca-file=${inFolder(layout, 'server.crt')}`,
  ]);
}

export function scheduler(layout: Layout): Component {
  return component('kube-scheduler', [
    `--kubeconfig=${kubeconfigOf(layout, 'scheduler')}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
  ]);
}

export function kubelet(layout: Layout): Component {
  const file = inFolder(layout, 'kubelet.json');
  // None: there is no way out of the cluster.
  const servers = inFolder(layout, 'resolv.conf');
  const configuration = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: layout.nodeAddress,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: inFolder(layout, 'server.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: inFolder(layout, 'server.crt'),
    tlsPrivateKeyFile: inFolder(layout, 'server.key'),
    containerRuntimeEndpoint: `unix://${layout.containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${layout.cgroup}`,
    // Else it refuses machines with cgroup v1.
    failCgroupV1: false,
    failSwapOn: false,
    // As containerd's restrict_oom_score_adj.
    oomScoreAdj: 0,
    clusterDomain: DOMAIN,
    clusterDNS: [layout.nodeAddress],
    resolvConf: servers,
    volumePluginDir: inFolder(layout, 'volume-plugins'),
    // The machine's disk has other users; its fill is not the cluster's affair, nor are its images to be deleted.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  };
  return component(
    'kubelet',
    [
      `--config=${file}`,
      `--kubeconfig=${kubeconfigOf(layout, 'kubelet')}`,
      `--hostname-override=${layout.name}`,
      `--node-ip=${layout.nodeAddress}`,
    ],
    { [file]: JSON.stringify(configuration), [servers]: '' },
  );
}

export function proxy(layout: Layout): Component {
  const configuration = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: kubeconfigOf(layout, 'proxy') },
    clusterCIDR: layout.podRange,
    hostnameOverride: layout.name,
    nodePortAddresses: ['primary'],
    oomScoreAdj: 0,
    // Settings of the machine, which are not to be touched.
    conntrack: { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: '0s', tcpEstablishedTimeout: '0s' },
  };
  const file = inFolder(layout, 'kube-proxy.json');
  return component('kube-proxy', [`--config=${file}`], { [file]: JSON.stringify(configuration) });
}

export function dns(layout: Layout): Component {
  const program = path.join(import.meta.dirname, 'dns.ts');
  const kubeconfig = kubeconfigOf(layout, 'dns');
  return {
    ...component('dns', []),
    command: [process.execPath, '--conditions=source', program, kubeconfig, layout.nodeAddress],
  };
}

/** Of busybox, so that it also serves where a test needs a shell. */
export const PAUSE_IMAGE = 'localhost/pause:1';

function component(program: string, flags: readonly string[], files: Component['files'] = {}): Component {
  return { name: program, command: [program, ...flags], files };
}
