/** Do imports go the one way they may? Checks each workspace's dependencies and project references against one table. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** What each package may import of the others. Apps may import every package, and never each other. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  service: [],
  balancing: [],
  scaling: [],
  kubernetes: ['service'],
  inference: [],
  retrieval: [],
  'model-builder': ['inference'],
};

const SCOPE = '@ragscale/';

export interface Workspace {
  /** From the root, such as `packages/service`. */
  readonly folder: string;
  readonly name: string;
  /** Names in `dependencies` and `devDependencies`. */
  readonly dependencies: readonly string[];
  /** Folders that tsconfig.json refers to, from the root. */
  readonly references: readonly string[];
}

/** Every violation in a sentence; none when all is well. What Biome checks is left out: that imports are declared at all. */
export function findViolations(workspaces: readonly Workspace[]): string[] {
  const byName = new Map(workspaces.map((workspace) => [workspace.name, workspace]));
  return workspaces.flatMap((workspace) => {
    const own = workspace.dependencies.filter((name) => name.startsWith(SCOPE));
    return [
      ...own.flatMap((name) => forbidden(workspace, name, byName.get(name))),
      ...referenceDrift(workspace, own, byName),
    ];
  });
}

function forbidden(from: Workspace, name: string, to: Workspace | undefined): string[] {
  if (to === undefined) return [`${from.folder} depends on ${name}, which is no workspace`];
  if (isApp(to)) return [`${from.folder} must not depend on ${to.folder}: nothing imports an app`];
  if (isApp(from)) return [];
  const allowed = ALLOWED[path.posix.basename(from.folder)];
  if (allowed === undefined) return [`${from.folder} has no row in the table of scripts/check-boundaries.ts`];
  if (allowed.includes(path.posix.basename(to.folder))) return [];
  const may = allowed.length === 0 ? 'no other package' : allowed.join(', ');
  return [`${from.folder} must not depend on ${to.folder}: it may import ${may}`];
}

function referenceDrift(
  workspace: Workspace,
  own: readonly string[],
  byName: ReadonlyMap<string, Workspace>,
): string[] {
  const wanted = own.map((name) => byName.get(name)?.folder ?? name);
  const found = workspace.references;
  const missing = wanted
    .filter((folder) => !found.includes(folder))
    .map((folder) => `${workspace.folder}/tsconfig.json lacks the reference to ${folder}, a dependency`);
  const extra = found
    .filter((folder) => !wanted.includes(folder))
    .map((folder) => `${workspace.folder}/tsconfig.json refers to ${folder}, which is no dependency`);
  return [...missing, ...extra];
}

function isApp(workspace: Workspace): boolean {
  return workspace.folder.startsWith('apps/');
}

/** @param root folder of the repository */
export function readWorkspaces(root: string): Workspace[] {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(path.join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => readWorkspace(root, `${group}/${entry.name}`)),
  );
}

function readWorkspace(root: string, folder: string): Workspace {
  const manifest = readJson(path.join(root, folder, 'package.json')) as {
    name: string;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  const tsconfig = readJson(path.join(root, folder, 'tsconfig.json')) as { references?: { path: string }[] };
  return {
    folder,
    name: manifest.name,
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }),
    references: (tsconfig.references ?? []).map((reference) => path.posix.join(folder, reference.path)),
  };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

if (import.meta.main) {
  const workspaces = readWorkspaces(fileURLToPath(new URL('..', import.meta.url)));
  const violations = findViolations(workspaces);
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
  else console.log(`imports of ${workspaces.length} workspaces go the right way`);
}
