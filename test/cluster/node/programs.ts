/** Where are the programs that a node is run with? */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const BUILD = path.join(import.meta.dirname, 'build.sh');
/** As Debian has it. */
export const CNI_PLUGINS = '/usr/lib/cni';

let folders: string | undefined;

/** Minutes where they have not been built yet. @throws Error that says what is missing */
export function makePrograms(): void {
  if (
    programFolders()
      .split(':')
      .some((folder) => !existsSync(folder))
  )
    console.log('Kubernetes and containerd are built from source, which takes minutes');
  const { status, stdout, stderr } = spawnSync('bash', [BUILD], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim());
  folders = stdout.trim();
}

/** Of those that were built, as `PATH` takes them. */
export function programFolders(): string {
  folders ??= spawnSync('bash', [BUILD, '--where'], { encoding: 'utf8' }).stdout.trim();
  return folders;
}

/** For `PATH`: built ones before the system's. */
export function programPath(): string {
  return `${programFolders()}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
}
