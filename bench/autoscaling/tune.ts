/**
 * Which settings suit the others best? What search.ts finds under the loads that are not steady, with seeds that the comparison does not use.
 *
 *     node --conditions=source bench/autoscaling/tune.ts [--only hpa,keda] [--pods batched,single] [--cold-starts 10,30,90]
 *
 * Writes tuned/results.json here, the same for the same code. The best setting costs the fewest replica-seconds among those that fail at most 0.5%
 * of the requests; where there is none, it fails the fewest. `all` is the best over all loads together, `byLoad`, of all that were tried for it,
 * the best for each of them alone.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Turned } from '@ragscale/scaling/competitors/competitor';
import { knownLoads, type Load } from './loads.ts';
import { ALLOWED, COLD_STARTS_S, factsOf, OTHERS, POD_KINDS, type PodKind, type Policy, podsOf } from './policies.ts';
import { isBetter, type Score, search } from './search.ts';
import { requestsOf, trial } from './trial.ts';

export interface Best {
  /** What is turned of its knobs, and what that makes. */
  readonly turned: Turned;
  readonly settings: unknown;
  readonly score: Score;
}

export interface Tuned {
  readonly all: Best;
  readonly byLoad: Readonly<Record<string, Best>>;
}

/** By kind of pod, seconds of cold start, and policy. */
export type TunedFile = Record<string, Record<string, Record<string, Tuned>>>;

export const TUNED_FILE = path.join(import.meta.dirname, 'tuned/results.json');
const TRAINING_SEEDS = [1001, 1002, 1003];
const [FIRST_SEED] = TRAINING_SEEDS;

/** Of several runs together: violations by requests, replica-seconds in sum. */
export function together(runs: readonly (Score & { readonly requests: number })[]): Score {
  const requests = runs.reduce((sum, run) => sum + run.requests, 0);
  return {
    violationShare: runs.reduce((sum, run) => sum + run.violationShare * run.requests, 0) / Math.max(1, requests),
    replicaSeconds: runs.reduce((sum, run) => sum + run.replicaSeconds, 0),
  };
}

type Run = Score & { readonly requests: number };

/** Runs of one policy at one place, each simulated once. */
class Runs {
  readonly tried = new Map<string, Turned>();
  simulated = 0;
  readonly #policy: Policy;
  readonly #place: { readonly kind: PodKind; readonly coldStartS: number };
  readonly #known = new Map<string, Run>();

  constructor(policy: Policy, place: { kind: PodKind; coldStartS: number }) {
    this.#policy = policy;
    this.#place = place;
  }

  settings(turned: Turned): unknown {
    return this.#policy.settings(factsOf(podsOf(this.#place.kind, this.#place.coldStartS)), turned);
  }

  score(turned: Turned, loads: readonly Load[], seeds: readonly number[]): Score {
    return together(loads.flatMap((load) => seeds.map((seed) => this.#run(turned, load, seed))));
  }

  /** What ran on this load. */
  triedOn(load: Load, seed: number): Turned[] {
    return [...this.tried]
      .filter(([setting]) => this.#known.has(`${setting} ${load.name} ${seed}`))
      .map(([, one]) => one);
  }

  /** Stops where it has failed more than it may of all that come. */
  glance(turned: Turned, loads: readonly Load[], seed: number): Score {
    const mayFail = ALLOWED * loads.reduce((sum, load) => sum + requestsOf(load, seed), 0);
    const runs: Run[] = [];
    let failed = 0;
    for (const load of loads) {
      const run = this.#run(turned, load, seed);
      runs.push(run);
      failed += run.violationShare * run.requests;
      if (failed > mayFail) break;
    }
    return together(runs);
  }

  #run(turned: Turned, load: Load, seed: number): Run {
    const settings = this.settings(turned);
    const setting = JSON.stringify(settings);
    this.tried.set(setting, turned);
    const key = `${setting} ${load.name} ${seed}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place = { ...this.#place, load, seed };
    const { requests, violationShare, replicaSeconds } = trial(
      place,
      this.#policy.create(settings),
      this.#policy.start(settings),
    );
    this.simulated += 1;
    const run = { requests, violationShare, replicaSeconds };
    this.#known.set(key, run);
    return run;
  }
}

function tune(policy: Policy, place: { kind: PodKind; coldStartS: number }, loads: readonly Load[]): Tuned {
  const runs = new Runs(policy, place);
  const best = search(policy.knobs, {
    glance: (turned) => runs.glance(turned, loads, FIRST_SEED!),
    judge: (turned) => runs.score(turned, loads, TRAINING_SEEDS),
  });
  const bestFor = (load: Load): Best => {
    const byGlance = runs
      .triedOn(load, FIRST_SEED!)
      .map((turned) => ({ turned, score: runs.score(turned, [load], [FIRST_SEED!]) }))
      .sort((a, b) => (isBetter(a.score, b.score) ? -1 : 1))
      .slice(0, 5)
      .map(({ turned }) => ({ turned, score: runs.score(turned, [load], TRAINING_SEEDS) }));
    const { turned, score } = byGlance.reduce((one, other) => (isBetter(other.score, one.score) ? other : one));
    return { turned, settings: runs.settings(turned), score };
  };
  const byLoad = Object.fromEntries(loads.map((load) => [load.name, bestFor(load)]));
  console.error(`  ${runs.tried.size} settings, ${runs.simulated} simulations`);
  return { all: { turned: best.turned, settings: runs.settings(best.turned), score: best.score }, byLoad };
}

if (import.meta.main) {
  const { values: flags } = parseArgs({
    options: {
      pods: { type: 'string', default: Object.keys(POD_KINDS).join() },
      only: { type: 'string' },
      'cold-starts': { type: 'string', default: COLD_STARTS_S.join() },
      out: { type: 'string', default: TUNED_FILE },
    },
  });
  const policies = OTHERS.filter(({ name }) => flags.only?.split(',').includes(name) ?? true);
  // The hard ones first: what fails too many is seen soon.
  const hardness = ({ name }: Load) => ['lulls', 'bursts', 'crowd'].indexOf(name);
  const loads = knownLoads()
    .filter(({ isStationary }) => !isStationary)
    .sort((a, b) => hardness(b) - hardness(a));
  mkdirSync(path.dirname(flags.out), { recursive: true });
  for (const coldStartS of flags['cold-starts'].split(',').map(Number)) {
    for (const kind of flags.pods.split(',') as PodKind[]) {
      for (const policy of policies) {
        const startedAt = performance.now();
        const tuned = tune(policy, { kind, coldStartS }, loads);
        // Read again each time: two kinds may be tuned side by side.
        const file = existsSync(flags.out) ? (JSON.parse(readFileSync(flags.out, 'utf8')) as TunedFile) : {};
        file[kind] = { ...file[kind], [coldStartS]: { ...file[kind]?.[coldStartS], [policy.name]: tuned } };
        writeFileSync(flags.out, `${JSON.stringify(file, null, 1)}\n`);
        const { turned, score } = tuned.all;
        console.error(
          `${kind}, ${coldStartS} s, ${policy.name}: ${JSON.stringify(turned)} fails ${(100 * score.violationShare).toFixed(2)}% ` +
            `at ${(score.replicaSeconds / 1000).toFixed(0)}k (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`,
        );
      }
    }
  }
}
