/** Where does the cluster of a soak come from? It is that of KUBECONFIG, or ours, brought up if it is not and taken down by who brought it up. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { down, loadImages, up } from '../cluster/node/commands.ts';
import { ownLayout } from '../cluster/node/layout.ts';
import { programFolders } from '../cluster/node/programs.ts';

/** What a release consists of. */
const IMAGES = ['rag', 'proxy', 'autoscaler', 'prometheus'];

const HELM = path.join(import.meta.dirname, '../chart/build-tools.sh');

/** The cluster is there, with the images, and this process knows it. To be disposed of last. */
export async function withCluster(): Promise<AsyncDisposable> {
  makeHelm();
  const layout = ownLayout();
  const isOurs = await up();
  const end = async () => {
    if (isOurs) await down();
  };
  try {
    await loadImages(IMAGES);
    if (layout !== undefined) {
      process.env.KUBECONFIG = layout.kubeconfig;
      // kubectl of the cluster's version.
      process.env.PATH = `${programFolders()}:${process.env.PATH}`;
    }
    return { [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

function makeHelm(): void {
  const { status, stderr } = spawnSync('bash', [HELM], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim());
}
