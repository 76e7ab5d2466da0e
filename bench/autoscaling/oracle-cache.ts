/** What does the oracle pay, without planning again what was planned before? Kept in ~/.cache/ragscale/oracle until what it depends on changes. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { ALLOWED } from './policies.ts';
import { oracleOf, type Place } from './trial.ts';

const FOLDER = path.join(homedir(), '.cache/ragscale/oracle');
const SCALING = path.join(import.meta.dirname, '../../packages/scaling/src');
/** The oracle asks nobody: what Prometheus says, and how others scale, does not matter. */
const MATTERS = [/^simulator\/(?!monitor)/, /^arrivals\//, /^competitors\/(oracle|schedule)/];

export interface OracleCost {
  readonly violations: number;
  readonly replicaSeconds: number;
  readonly lowerBound: number;
}

let sources: string | undefined;

function versionOfSources(): string {
  if (sources !== undefined) return sources;
  const hash = createHash('sha256');
  const files = readdirSync(SCALING, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => !name.endsWith('.spec.ts') && MATTERS.some((pattern) => pattern.test(name)) && name.endsWith('.ts'),
    )
    .sort();
  for (const file of [...files.map((name) => path.join(SCALING, name)), path.join(import.meta.dirname, 'loads.ts')]) {
    hash.update(readFileSync(file));
  }
  sources = hash.digest('hex');
  return sources;
}

/** @param rounds of the search; none: only what follows the rate */
export function oracleCost(place: Place, rounds: number): OracleCost {
  const { load, kind, coldStartS, seed } = place;
  const key = createHash('sha256')
    .update(JSON.stringify([versionOfSources(), load.name, kind, coldStartS, seed, rounds, ALLOWED]))
    .digest('hex');
  const file = path.join(FOLDER, `${key.slice(0, 32)}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as OracleCost;
  const { violationShare, replicaSeconds, lowerBound } = oracleOf(place, rounds);
  const cost = { violations: violationShare, replicaSeconds, lowerBound };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, JSON.stringify(cost));
  return cost;
}
