/** Which processes does the kubelet hold in which cgroups? In either version of cgroups; version 1 has one tree for each kind of limit. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Layout } from './layout.ts';
import { processes } from './namespaces.ts';

const ROOT = '/sys/fs/cgroup';
const PATIENCE_MS = 10_000;

/** The kubelet makes those of the pods in it, but not this one itself. */
export function makeCgroup(layout: Layout): void {
  for (const tree of trees()) {
    const folder = path.join(tree, layout.cgroup);
    mkdirSync(folder, { recursive: true });
    // In version 1 these are empty at first, and no process may enter before they are not.
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(path.join(tree, file)) && existsSync(path.join(folder, file)))
        writeFileSync(path.join(folder, file), readFileSync(path.join(tree, file)));
  }
}

/** When its processes have ended. */
export async function removeCgroup(layout: Layout): Promise<void> {
  for (const tree of trees()) await removeTree(path.join(tree, layout.cgroup));
}

/** On this machine; the first process of the container is first. */
export function processesOfContainer(id: string): number[] {
  return processes()
    .filter((pid) => cgroupsOf(pid).includes(`/${id}\n`))
    .sort((a, b) => a - b);
}

function trees(): string[] {
  if (existsSync(path.join(ROOT, 'cgroup.controllers'))) return [ROOT];
  // Links such as `cpu` to `cpu,cpuacct` are no trees of their own.
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(ROOT, name));
}

/** What is in a cgroup cannot be unlinked: only the folders are removed, the innermost first. */
async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(path.join(folder, entry.name));
  for (const deadline = performance.now() + PATIENCE_MS; ; )
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      // A process leaves its cgroup a moment after it has ended.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || performance.now() > deadline) throw error;
      await delay(20);
    }
}

function cgroupsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}
