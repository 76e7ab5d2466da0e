/** How does a cluster go, whatever state it is in? Nothing of it is asked to help. */
import { existsSync, rmSync } from 'node:fs';
import { removeCgroup } from './cgroups.ts';
import type { Layout } from './layout.ts';
import { closeNamespaces, firstProcess } from './namespaces.ts';
import { closeNetwork, hasNetwork } from './network.ts';

/** Is anything of it there? */
export function isThere(layout: Layout): boolean {
  return firstProcess(layout) !== undefined || existsSync(layout.folder) || hasNetwork(layout);
}

/** Processes, mounts, links, routes and rules end with the namespaces; what Linux keeps outside of them is removed here. */
export async function takeDown(layout: Layout): Promise<void> {
  await closeNamespaces(layout);
  closeNetwork(layout);
  await removeCgroup(layout);
  rmSync(layout.folder, { recursive: true, force: true });
}
