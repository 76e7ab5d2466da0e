/** Is a release closed? What its processes may not do is tried from within them. */
import { expect, it } from 'vitest';
import { cluster, type Pod } from '../support/cluster.ts';
import type { Release } from '../support/release.ts';

const PARTS = ['batched', 'proxy', 'autoscaler'] as const;

/** Runs in a container of ours: the images have Node and no shell. */
const PROBE = `
const { readFileSync, rmSync, writeFileSync, existsSync } = require('node:fs');
const tried = (path) => { try { writeFileSync(path, ''); rmSync(path); return 'written'; } catch ({ code }) { return code; } };
const status = Object.fromEntries(readFileSync('/proc/self/status', 'utf8').split('\\n').map((line) => line.split(':\\t')));
console.log(JSON.stringify({
  root: ['/x', '/home/x', '/etc/x', process.cwd() + '/x'].map(tried),
  tmp: tried('/tmp/x'),
  user: process.getuid(),
  capabilities: ['CapEff', 'CapPrm', 'CapBnd'].map((set) => parseInt(status[set], 16)),
  noNewPrivileges: status.NoNewPrivs,
  seccomp: status.Seccomp,
  token: existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token'),
  shells: ['/bin/sh', '/bin/bash', '/usr/bin/apt-get', '/usr/local/bin/npm'].filter(existsSync),
}));`;

interface ServicePort {
  readonly name: string;
  readonly port: number;
}

export function checkSecurity(release: () => Release): void {
  const podOf = async (part: string): Promise<Pod> => {
    const [pod] = await cluster().pods(release().namespace, part);
    if (pod === undefined) throw new Error(`no pod of ${part}`);
    return pod;
  };

  it.each(PARTS)('lets %s write nothing but /tmp, and gives it no right that it does not need', async (part) => {
    const { metadata } = await podOf(part);
    const node = ['exec', metadata.name, '--namespace', release().namespace, '--', 'node', '--eval', PROBE];
    const found = JSON.parse(await cluster().kubectl(node));
    expect(found).toEqual({
      root: [expect.stringMatching(/^E/), expect.stringMatching(/^E/), 'EROFS', 'EROFS'],
      tmp: 'written',
      user: 10001,
      capabilities: [0, 0, 0],
      noNewPrivileges: '1',
      // 2: filtered.
      seccomp: '2',
      // Pods that answer have nothing to ask of the API server.
      token: part !== 'batched',
      shells: [],
    });
  });

  it('shows clients the port of questions alone', async () => {
    const at = `/api/v1/namespaces/${release().namespace}/services/ragscale-proxy`;
    const { spec } = await cluster().request<{ spec: { ports: ServicePort[] } }>('GET', at);
    expect(spec.ports.map(({ port }) => port)).toEqual([9000]);
    const url = await release().proxyUrl();
    for (const path of ['/metrics', '/endpoints', '/livez']) expect((await fetch(url + path)).status, path).toBe(404);
    expect((await fetch(`${await release().adminUrl()}/endpoints`)).status).toBe(200);
  });

  it('starts without a line of warning in any log', async () => {
    for (const { metadata } of await cluster().pods(release().namespace)) {
      const log = await cluster().kubectl([
        'logs',
        metadata.name,
        '--all-containers',
        '--namespace',
        release().namespace,
      ]);
      const lines = log.trim().split('\n');
      expect(lines.length, metadata.name).toBeGreaterThan(1);
      expect(lines.filter(isBad), metadata.name).toEqual([]);
    }
  });
}

/** Ours are JSON with the name of the level; Prometheus' have it as `level=`. What is neither was written by nobody who meant to. */
function isBad(line: string): boolean {
  if (line.startsWith('{')) return !['info', 'debug'].includes(JSON.parse(line).level);
  return !/ level=(INFO|DEBUG) /.test(line);
}
