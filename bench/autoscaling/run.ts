/**
 * How does ragscale scale beside HPA, KEDA, Knative, Ray Serve, the rule that came before, a fixed number, and somebody who knows the future?
 *
 *     node --conditions=source bench/autoscaling/run.ts [--quick] [--pods batched,single] [--cold-starts 10,30,90] [--seeds N] [--no-oracle]
 *
 * Writes results.json, results.md, pareto.svg and timeline.svg here. Tuned settings come from tune.ts; where it has not been run, the others have
 * their defaults only. Simulated: the numbers are the same on every machine.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ScalerFactory, SimulationOptions } from '@ragscale/scaling/simulator/options';
import { estimate } from '@ragscale/scaling/simulator/repeat';
import { drawPareto, drawTimelines } from './draw.ts';
import { knownLoads, type Load } from './loads.ts';
import {
  ALLOWED,
  COLD_STARTS_S,
  factsOf,
  OBJECTIVE_MS,
  OTHERS,
  OUR_POLICY,
  POD_KINDS,
  type PodKind,
  podsOf,
} from './policies.ts';
import type { OraclePoint, Point, Report, Timeline, Variant } from './report.ts';
import { tablesOf } from './tables.ts';
import { oracleOf, trial } from './trial.ts';
import { TUNED_FILE, type TunedFile } from './tune.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    pods: { type: 'string', default: Object.keys(POD_KINDS).join() },
    'cold-starts': { type: 'string' },
    seeds: { type: 'string' },
    oracle: { type: 'boolean', default: true },
    out: { type: 'string', default: import.meta.dirname },
  },
  allowNegative: true,
});
const startedAt = performance.now();
const seeds = Array.from({ length: Number(flags.seeds ?? (flags.quick ? 2 : 10)) }, (_, index) => index + 1);
const coldStarts = (flags['cold-starts'] ?? (flags.quick ? '30' : COLD_STARTS_S.join())).split(',').map(Number);
const kinds = flags.pods.split(',') as PodKind[];
const loads = knownLoads();
const tunedFile = existsSync(TUNED_FILE) ? (JSON.parse(readFileSync(TUNED_FILE, 'utf8')) as TunedFile) : {};

interface Candidate {
  readonly policy: string;
  readonly variant: Variant;
  readonly settings: unknown;
  readonly scaler: ScalerFactory;
  readonly start: Partial<SimulationOptions>;
}

function candidatesFor(kind: PodKind, coldStartS: number, load: Load): Candidate[] {
  const facts = factsOf(podsOf(kind, coldStartS));
  const ours = OUR_POLICY.grid(facts).map((settings): Candidate => {
    const isDefault = JSON.stringify(settings) === JSON.stringify(OUR_POLICY.defaults(facts));
    return {
      policy: OUR_POLICY.name,
      variant: isDefault ? 'default' : 'other',
      settings,
      scaler: OUR_POLICY.create(settings),
      start: {},
    };
  });
  const others = OTHERS.flatMap((policy): Candidate[] => {
    const tuned = tunedFile[kind]?.[coldStartS]?.[policy.name];
    const variants: (readonly [Variant, unknown])[] = [['default', policy.defaults(facts)]];
    if (tuned !== undefined) variants.push(['tuned', tuned.all.settings]);
    if (tuned?.byLoad[load.name] !== undefined) variants.push(['fitted', tuned.byLoad[load.name]!.settings]);
    return variants.map(([variant, settings]) => ({
      policy: policy.name,
      variant,
      settings,
      scaler: policy.create(settings),
      start: policy.start(settings),
    }));
  });
  return [...ours, ...others];
}

const points: Point[] = [];
const oracle: OraclePoint[] = [];
for (const kind of kinds) {
  for (const coldStartS of coldStarts) {
    for (const load of loads) {
      for (const { scaler, start, ...candidate } of candidatesFor(kind, coldStartS, load)) {
        const results = seeds.map((seed) => trial({ load, kind, coldStartS, seed }, scaler, start));
        points.push({
          kind,
          coldStartS,
          load: load.name,
          ...candidate,
          violations: estimate(results.map(({ violationShare }) => violationShare)),
          replicaSeconds: estimate(results.map(({ replicaSeconds }) => replicaSeconds)),
          p95Ms: estimate(results.map(({ latencyMs }) => latencyMs.p95)),
          changes: estimate(results.map(({ changes }) => changes)),
        });
      }
      console.log(`${kind}, cold start ${coldStartS} s, ${load.name}`);
    }
  }
  // At no cold start too: what of the way to the oracle is cold start?
  if (!flags.oracle) continue;
  for (const coldStartS of [0, ...coldStarts]) {
    for (const load of loads) {
      const plan = oracleOf({ load, kind, coldStartS, seed: 1 });
      oracle.push({
        kind,
        coldStartS,
        load: load.name,
        violations: plan.violationShare,
        replicaSeconds: plan.replicaSeconds,
        lowerBound: plan.lowerBound,
      });
      console.log(`${kind}, cold start ${coldStartS} s, ${load.name}: oracle, ${plan.simulations} simulations`);
    }
  }
}

const [kind, coldStartS, load] = [kinds[0]!, coldStarts.includes(30) ? 30 : coldStarts[0]!, loads[0]!];
const timelines = candidatesFor(kind, coldStartS, load)
  .filter(({ policy, variant }) => variant === (policy === OUR_POLICY.name ? 'default' : 'fitted'))
  .map(({ policy, scaler, start }): Timeline => {
    const { timeline } = trial({ load, kind, coldStartS, seed: 1 }, scaler, { ...start, sampleIntervalMs: 15_000 });
    return { policy, samples: timeline };
  });
const report: Report = {
  settings: {
    objectiveMs: OBJECTIVE_MS,
    allowed: ALLOWED,
    seeds,
    loads: loads.map(({ name, about, isStationary }) => ({ name, about, isStationary })),
    minutes: (performance.now() - startedAt) / 60_000,
  },
  points,
  oracle,
  timelines,
};
const file = (name: string) => path.join(flags.out, name);
mkdirSync(flags.out, { recursive: true });
writeFileSync(file('results.json'), `${JSON.stringify(report, null, 1)}\n`);
writeFileSync(file('results.md'), tablesOf(report));
await drawPareto(report, file('pareto.svg'));
await drawTimelines(report, file('timeline.svg'));
console.log(tablesOf(report));
