/** Does a cluster leave anything behind, whatever happens to it? One of its own name, beside the one that the other tests use. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processesOfContainer } from './cgroups.ts';
import { componentProcess } from './component-processes.ts';
import * as components from './components.ts';
import { layoutOf } from './layout.ts';
import { commandOf, firstProcess, processes, run } from './namespaces.ts';
import { NOT_OWN, ownNode } from './own-node.ts';
import { coreApi } from './readiness.ts';

const layout = layoutOf('lifecycle');
const PATIENCE_MS = 120_000;
/** Where containerd and kubelet mount, seen from inside. */
const PLACES_OF_MOUNTS = / \/(run\/containerd|run\/netns|var\/lib\/containerd|var\/lib\/kubelet)\//;
const skipped = ownNode() ? undefined : NOT_OWN;

describe(`a cluster's life${skipped ? ` (${skipped})` : ''}`, { skip: skipped !== undefined }, () => {
  let before: Traces;
  beforeEach(async () => {
    await command('down').done;
    before = traces();
  });
  afterEach(() => command('down').done);

  it('leaves nothing when it is taken down, with pods', async () => {
    const { output } = await command('up').done;
    expect(output).toContain(`export KUBECONFIG=${layout.kubeconfig}`);
    expect((await command('up').done).output).toContain('is up already');
    const container = await runningContainer();
    expect(processesOfContainer(container)).not.toEqual([]);
    expect(traces()).not.toEqual(before);

    expect((await command('down').done).output).toContain('nothing is left');
    expect(traces()).toEqual(before);
    expect((await command('down').done).output).toContain('there is no cluster');
  });

  it('leaves nothing when its programs were killed before', async () => {
    await command('up').done;
    const container = await runningContainer();
    const shim = processes().find((pid) => commandOf(pid).join(' ').includes(`containerd-shim`) && isOurs(pid));
    const parts = [components.containerd(layout), components.kubelet(layout), components.etcd(layout)];
    // The shim last: containerd, while it is there, ends the container of a shim that has gone.
    const victims = [...parts.map(componentProcess), shim];
    expect(victims).not.toContain(undefined);
    for (const pid of victims) process.kill(pid as number, 'SIGKILL');
    // Nobody looks after it any more.
    expect(processesOfContainer(container)).not.toEqual([]);

    expect((await command('down').done).output).toContain('nothing is left');
    expect(traces()).toEqual(before);
  });

  it('leaves nothing when its start was killed, and starts again over what that left', async () => {
    const interrupted = command('up');
    await until('etcd runs', () => componentProcess(components.etcd(layout)) !== undefined);
    interrupted.child.kill('SIGKILL');
    await interrupted.done;
    expect(firstProcess(layout)).toBeDefined();

    expect((await command('up').done).output).toContain('is up\n');
    // As when the machine was switched off.
    process.kill(firstProcess(layout) as number, 'SIGKILL');
    await until('its processes have ended', () => processes().filter(isOurs).length === 0);
    expect(traces()).not.toEqual(before);

    expect((await command('down').done).output).toContain('nothing is left');
    expect(traces()).toEqual(before);
  });

  it('leaves nothing when its start is called off', async () => {
    const interrupted = command('up');
    await until('etcd runs', () => componentProcess(components.etcd(layout)) !== undefined);
    interrupted.child.kill('SIGINT');
    expect((await interrupted.done).code).toBe(130);
    expect(traces()).toEqual(before);
  });
});

interface Traces {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly files: readonly string[];
  readonly links: readonly string[];
  readonly routes: string;
  readonly rules: readonly string[];
}

/** What a cluster could leave on this machine. Of what other programs change all the time, only what is the cluster's. */
function traces(): Traces {
  return {
    processes: processes()
      .filter(isOurs)
      .map((pid) => commandOf(pid).join(' ')),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(layout.folder) || PLACES_OF_MOUNTS.test(line)),
    cgroups: run(['find', '/sys/fs/cgroup', '-maxdepth', '3', '-name', `*${layout.name}*`]).split('\n'),
    files: [
      ...['/run', '/run/netns', '/var/lib', '/etc', '/opt', '/usr/libexec', '/var/log', '/'].flatMap(namesIn),
      ...namesIn(path.dirname(layout.folder)),
    ],
    links: namesIn('/sys/class/net'),
    routes: run(['ip', 'route', 'show', 'table', 'all']),
    rules: run(['iptables-save'])
      .split('\n')
      .filter((line) => !line.startsWith('#')),
  };
}

/** By what it was started with, or by the cgroup of the pods. */
function isOurs(pid: number): boolean {
  try {
    const isInPod = readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`/${layout.cgroup}/`);
    return isInPod || commandOf(pid).some((word) => word.includes(layout.folder) || word.endsWith(`:${layout.name}`));
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
}

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function command(name: 'up' | 'down'): { readonly child: ChildProcess; readonly done: Promise<Outcome> } {
  const { KUBECONFIG: _, ...env } = process.env;
  const program = path.join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, ['--conditions=source', program, name], {
    env: { ...env, CLUSTER_NAME: layout.name },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
  return { child, done: once(child, 'close').then(([code]) => ({ code: code as number | null, output })) };
}

/** Of a pod of the image that every node has. @returns its id */
async function runningContainer(): Promise<string> {
  const api = coreApi(layout.kubeconfig);
  const name = 'sleeper';
  const container = { name, image: components.PAUSE_IMAGE, imagePullPolicy: 'Never' };
  await api.createNamespacedPod({
    namespace: 'default',
    body: { metadata: { name }, spec: { containers: [container] } },
  });
  let id: string | undefined;
  await until('the pod runs', async () => {
    const { status } = await api.readNamespacedPod({ namespace: 'default', name });
    const [found] = status?.containerStatuses ?? [];
    if (found?.state?.running) id = found.containerID?.replace('containerd://', '');
    return id !== undefined;
  });
  return id as string;
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    await delay(20);
  }
}
