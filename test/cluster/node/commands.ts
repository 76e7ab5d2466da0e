/** What can be asked of the cluster of the tests? Each command takes our own cluster, or the one that `KUBECONFIG` names. */
import { isThere, takeDown } from './down.ts';
import { buildImages, importArchive, TEST_IMAGES } from './images.ts';
import { layoutOf, ownLayout } from './layout.ts';
import { locked } from './lock.ts';
import { describeOther, loadIntoOther } from './other-cluster.ts';
import { Phases } from './phases.ts';
import { bringUp, isUp } from './up.ts';

/** @returns whether it was not up before */
export async function up(): Promise<boolean> {
  const layout = ownLayout();
  if (layout === undefined) {
    console.log(await describeOther(otherKubeconfig()));
    return false;
  }
  using _lock = await locked(layout);
  const wasUp = isUp(layout);
  if (wasUp) console.log(`the cluster '${layout.name}' is up already`);
  else {
    const phases = new Phases();
    const ended = takeDownOnSignal();
    await bringUp(layout, phases);
    ended[Symbol.dispose]();
    phases.end(`the cluster '${layout.name}' is up`);
  }
  console.log(`export KUBECONFIG=${layout.kubeconfig}`);
  return !wasUp;
}

export async function down(): Promise<void> {
  const layout = ownLayout();
  if (layout === undefined) {
    console.log('KUBECONFIG is that of another cluster, which is left as it is');
    return;
  }
  using _lock = await locked(layout);
  if (!isThere(layout)) {
    console.log(`there is no cluster '${layout.name}'`);
    return;
  }
  await takeDown(layout);
  console.log(`nothing is left of the cluster '${layout.name}'`);
}

/** @param targets of ../images/build.sh; all that the tests use unless given */
export async function loadImages(targets: readonly string[] = TEST_IMAGES): Promise<void> {
  const layout = ownLayout();
  if (layout && !isUp(layout)) throw new Error(`the cluster '${layout.name}' is not up: npm run cluster:up`);
  const phases = new Phases();
  const archives = await phases.run('images built', async () => buildImages(targets));
  await phases.run('images on the node', async () => {
    if (layout === undefined) loadIntoOther(otherKubeconfig(), archives);
    else for (const archive of archives) importArchive(layout, archive);
  });
}

function otherKubeconfig(): string {
  return process.env.KUBECONFIG as string;
}

/** Ctrl-C while it comes up leaves nothing. */
function takeDownOnSignal(): Disposable {
  const end = async () => {
    await takeDown(layoutOf());
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, end);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, end);
    },
  };
}
