/**
 * Which settings suit the others best? Every setting of their grids under every load, with seeds that the comparison does not use.
 *
 *     node --conditions=source bench/autoscaling/tune.ts [--quick] [--only hpa,keda] [--pods batched,single] [--cold-starts 10,30,90]
 *
 * Writes tuned/results.json here. The best setting costs the fewest replica-seconds among those that fail at most 0.5% of the requests; where
 * there is none, it fails the fewest. `all` is the best over all loads together, `byLoad` for each of them alone.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { knownLoads } from './loads.ts';
import { ALLOWED, COLD_STARTS_S, factsOf, OTHERS, POD_KINDS, type PodKind, type Policy, podsOf } from './policies.ts';
import { trial } from './trial.ts';

export interface Score {
  readonly violationShare: number;
  readonly replicaSeconds: number;
}

export interface Tuned {
  readonly all: { readonly settings: unknown; readonly score: Score };
  readonly byLoad: Readonly<Record<string, { readonly settings: unknown; readonly score: Score }>>;
}

/** By kind of pod, seconds of cold start, and policy. */
export type TunedFile = Record<string, Record<string, Record<string, Tuned>>>;

export const TUNED_FILE = path.join(import.meta.dirname, 'tuned/results.json');
const TRAINING_SEEDS = [1001, 1002];

/** Whether one is better tuned than the other. */
export function isBetter(one: Score, other: Score): boolean {
  const [oneKeeps, otherKeeps] = [one.violationShare <= ALLOWED, other.violationShare <= ALLOWED];
  if (oneKeeps !== otherKeeps) return oneKeeps;
  return oneKeeps ? one.replicaSeconds < other.replicaSeconds : one.violationShare < other.violationShare;
}

/** Of several runs together: violations by requests, replica-seconds in sum. */
export function together(runs: readonly (Score & { readonly requests: number })[]): Score {
  const requests = runs.reduce((sum, run) => sum + run.requests, 0);
  return {
    violationShare: runs.reduce((sum, run) => sum + run.violationShare * run.requests, 0) / Math.max(1, requests),
    replicaSeconds: runs.reduce((sum, run) => sum + run.replicaSeconds, 0),
  };
}

function bestOf<Entry extends { readonly score: Score }>(entries: readonly Entry[]): Entry {
  return entries.reduce((best, entry) => (isBetter(entry.score, best.score) ? entry : best));
}

function tune(
  policies: readonly Policy[],
  { kind, coldStartS, seeds }: { kind: PodKind; coldStartS: number; seeds: readonly number[] },
): Record<string, Tuned> {
  const pods = podsOf(kind, coldStartS);
  const loads = knownLoads();
  const tuned: Record<string, Tuned> = {};
  for (const policy of policies) {
    const tried = policy.grid(factsOf(pods)).map((settings) => {
      const scaler = policy.create(settings);
      const byLoad = loads.map((load) =>
        seeds.map((seed) => trial({ load, kind, coldStartS, seed }, scaler, policy.start(settings))),
      );
      return { settings, byLoad, score: together(byLoad.flat()) };
    });
    const best = bestOf(tried);
    tuned[policy.name] = {
      all: { settings: best.settings, score: best.score },
      byLoad: Object.fromEntries(
        loads.map(({ name }, index) => [
          name,
          bestOf(tried.map(({ settings, byLoad }) => ({ settings, score: together(byLoad[index]!) }))),
        ]),
      ),
    };
    console.log(kind, coldStartS, policy.name, tried.length, JSON.stringify(tuned[policy.name]!.all));
  }
  return tuned;
}

if (import.meta.main) {
  const { values: flags } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      pods: { type: 'string', default: Object.keys(POD_KINDS).join() },
      only: { type: 'string' },
      'cold-starts': { type: 'string', default: COLD_STARTS_S.join() },
    },
  });
  const policies = OTHERS.filter(({ name }) => flags.only?.split(',').includes(name) ?? true);
  const seeds = flags.quick ? TRAINING_SEEDS.slice(0, 1) : TRAINING_SEEDS;
  for (const kind of flags.pods.split(',') as PodKind[]) {
    for (const coldStartS of flags['cold-starts'].split(',')) {
      const tuned = tune(policies, { kind, coldStartS: Number(coldStartS), seeds });
      // Read again each time: two kinds may be tuned side by side.
      const file = existsSync(TUNED_FILE) ? (JSON.parse(readFileSync(TUNED_FILE, 'utf8')) as TunedFile) : {};
      file[kind] = { ...file[kind], [coldStartS]: { ...file[kind]?.[coldStartS], ...tuned } };
      writeFileSync(TUNED_FILE, `${JSON.stringify(file, null, 2)}\n`);
    }
  }
}
