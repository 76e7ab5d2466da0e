/** How do this machine and the node reach each other, and the pods nobody else? One link; the node has no route that leads further. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { inFolder, type Layout } from './layout.ts';
import { firstProcess, run, runIn } from './namespaces.ts';

/** @throws Error when another cluster has the same addresses */
export function openNetwork(layout: Layout): void {
  const { hostLink, nodeLink, hostAddress, nodeAddress, podRange, serviceRange } = layout;
  const node = String(firstProcess(layout));
  run(['ip', 'link', 'add', hostLink, 'type', 'veth', 'peer', 'name', nodeLink, 'netns', node]);
  run(['ip', 'address', 'add', `${hostAddress}/30`, 'dev', hostLink]);
  run(['ip', 'link', 'set', hostLink, 'up']);
  for (const range of [podRange, serviceRange]) run(['ip', 'route', 'add', range, 'via', nodeAddress]);

  runIn(layout, ['ip', 'link', 'set', 'lo', 'up']);
  runIn(layout, ['ip', 'address', 'add', `${nodeAddress}/30`, 'dev', nodeLink]);
  runIn(layout, ['ip', 'link', 'set', nodeLink, 'up']);
  runIn(layout, ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  // Addresses of Services need a route before kube-proxy's rules turn them into others. Those that it does not know end here, at a link
  // that leads nowhere.
  runIn(layout, ['ip', 'link', 'add', 'services', 'type', 'veth', 'peer', 'name', 'nowhere']);
  for (const link of ['services', 'nowhere']) runIn(layout, ['ip', 'link', 'set', link, 'up']);
  runIn(layout, ['ip', 'route', 'add', serviceRange, 'dev', 'services', 'src', nodeAddress]);
}

/** Of the pods, for containerd: a bridge on the node. */
export function describePodNetwork(layout: Layout): void {
  const ipam = { type: 'host-local', ranges: [[{ subnet: layout.podRange }]], routes: [{ dst: '0.0.0.0/0' }] };
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, ipMasq: true, hairpinMode: true, ipam };
  const ports = { type: 'portmap', capabilities: { portMappings: true } };
  const network = { cniVersion: '0.4.0', name: 'pods', plugins: [bridge, ports] };
  mkdirSync(inFolder(layout, 'networks'));
  writeFileSync(inFolder(layout, 'networks', 'pods.conflist'), JSON.stringify(network, undefined, 2));
}

/** The link's other end, its addresses and the routes over it go with it. */
export function closeNetwork(layout: Layout): void {
  try {
    run(['ip', 'link', 'delete', layout.hostLink]);
  } catch (error) {
    // Linux removes it with the namespace at the other end, soon after the namespace's last process has ended.
    if (hasNetwork(layout)) throw error;
  }
}

export function hasNetwork(layout: Layout): boolean {
  return existsSync(`/sys/class/net/${layout.hostLink}`);
}
