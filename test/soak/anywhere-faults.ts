/** What can be done to a release on any cluster? What Kubernetes' API allows whoever installed it. */
import type { Pod } from '../e2e/support/cluster.ts';
import { cluster } from '../e2e/support/cluster.ts';
import { JUMP_MS } from './jumping-clock.ts';
import { SCRATCH } from './release-values.ts';
import type { Begun } from './system.ts';

/** The first process of a container has the number 1 in it. */
const CLOCK_FILE = `${SCRATCH}/clock-1`;
const FILLING_FILE = `${SCRATCH}/full`;

/** Writes until there is no room, and fails if there always is. */
const FILL = `
const { openSync, writeSync } = require('node:fs');
const file = openSync('${FILLING_FILE}', 'w');
const block = Buffer.alloc(65536);
try {
  for (let i = 0; i < 4096; i++) writeSync(file, block);
} catch (error) {
  if (error.code === 'ENOSPC') process.exit(0);
  throw error;
}
throw new Error('there is room for ever');
`;

/** No time to say goodbye, as when a node is lost. */
export async function deletePod({ metadata: { name, namespace } }: Pod): Promise<void> {
  const how = ['--force', '--grace-period=0', '--wait=false'];
  await cluster().kubectl(['delete', 'pod', name, '--namespace', namespace as string, ...how]);
}

export async function fillScratch(pod: Pod, isThere: () => boolean): Promise<Begun['undo']> {
  await runInside(pod, FILL);
  return () => unlessGone(isThere, () => runInside(pod, remove(FILLING_FILE)));
}

export async function jumpClock(pod: Pod, isThere: () => boolean): Promise<Begun['undo']> {
  await runInside(pod, `require('node:fs').writeFileSync('${CLOCK_FILE}', '${JUMP_MS}')`);
  return () => unlessGone(isThere, () => runInside(pod, remove(CLOCK_FILE)));
}

/** With its data: it keeps them on a volume that goes with its pod. */
export async function takePrometheusAway(namespace: string): Promise<Begun['undo']> {
  await scale(namespace, 'ragscale-prometheus', 0);
  return () => scale(namespace, 'ragscale-prometheus', 1);
}

async function scale(namespace: string, deployment: string, replicas: number): Promise<void> {
  const at = `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}/scale`;
  await cluster().request('PATCH', at, { spec: { replicas } }, 'application/merge-patch+json');
}

/** The images have no shell, but they have Node. */
async function runInside({ metadata: { name, namespace } }: Pod, program: string): Promise<void> {
  await cluster().kubectl(['exec', '--namespace', namespace as string, name, '--', 'node', '--eval', program]);
}

function remove(file: string): string {
  return `require('node:fs').rmSync('${file}', { force: true })`;
}

/** Who has died meanwhile took with it what would have to be undone. */
async function unlessGone(isThere: () => boolean, undo: () => Promise<void>): Promise<void> {
  try {
    await undo();
  } catch (error) {
    if (isThere()) throw error;
  }
}
