/** How do images come onto the node? As archives, into its containerd: there is no registry. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PAUSE_IMAGE } from './components.ts';
import { CACHE, type Layout } from './layout.ts';
import { run } from './namespaces.ts';
import { programPath } from './programs.ts';

const ARCHIVES = path.join(CACHE, 'images');
const BUILD = path.join(import.meta.dirname, '../images/build.sh');

/** Targets of build.sh that the tests on a cluster use. */
export const TEST_IMAGES = ['rag', 'rag-paced', 'proxy', 'autoscaler', 'prometheus'] as const;

/** Builds the images; seconds when nothing has changed, minutes the first time. @returns their archives @throws Error */
export function buildImages(targets: readonly string[]): string[] {
  const { status } = spawnSync('bash', [BUILD, '--archives', ARCHIVES, ...targets], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('the images could not be built');
  return targets.map((target) => path.join(ARCHIVES, `${target}.tar`));
}

/** The one that a pod cannot be without. */
export function makePauseImage(): string {
  const archive = path.join(ARCHIVES, 'pause.tar');
  if (!existsSync(archive)) run(['bash', path.join(import.meta.dirname, 'pause-image.sh'), PAUSE_IMAGE, archive]);
  return archive;
}

export function importArchive(layout: Layout, archive: string): void {
  ctr(layout, ['images', 'import', archive]);
}

export function listImages(layout: Layout): string[] {
  return ctr(layout, ['images', 'list', '--quiet']).trim().split('\n');
}

function ctr(layout: Layout, command: readonly string[]): string {
  const where = ['--address', layout.containerdSocket, '--namespace', 'k8s.io'];
  return run(['env', `PATH=${programPath()}`, 'ctr', ...where, ...command]);
}
