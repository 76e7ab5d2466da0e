/**
 * How does ragscale scale beside HPA, KEDA, Knative, Ray Serve, the rule that came before, a fixed number, and somebody who knows the future?
 *
 *     npm run bench:autoscaling -- [--quick] [--pods batched,single] [--cold-starts 10,30,90] [--seeds N]
 *         [--loads conversation,day] [--oracle-seeds N] [--no-oracle] [--out DIR]
 *
 * Writes results.json, results.md, pareto.svg and timeline.svg here, or with --quick in a temporary folder. Tuned settings come from tune.ts;
 * where it has not been run, the others have their defaults only. Simulated: the numbers are the same on every machine. What the oracle plans is
 * kept in ~/.cache/ragscale/oracle.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ORACLE_DEFAULTS } from '@ragscale/scaling/competitors/oracle';
import { DEFAULT_PROXIES } from '@ragscale/scaling/simulator/defaults';
import type { ProxyOptions, ScalerFactory, SimulationOptions } from '@ragscale/scaling/simulator/options';
import { estimate } from '@ragscale/scaling/simulator/repeat';
import type { SimulationResult } from '@ragscale/scaling/simulator/result';
import { drawPareto, drawTimelines } from './draw.ts';
import { knownLoads, type Load } from './loads.ts';
import { oracleCost } from './oracle-cache.ts';
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
import type { OraclePoint, Point, ProxyPoint, Report, Timeline, Variant } from './report.ts';
import { tablesOf } from './tables.ts';
import { trial } from './trial.ts';
import { TUNED_FILE, type TunedFile } from './tune.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    pods: { type: 'string', default: Object.keys(POD_KINDS).join() },
    'cold-starts': { type: 'string' },
    seeds: { type: 'string' },
    loads: { type: 'string' },
    'oracle-seeds': { type: 'string' },
    oracle: { type: 'boolean', default: true },
    out: { type: 'string' },
  },
  allowNegative: true,
});
const startedAt = performance.now();
// A quick run tells whether everything works: it does not take the place of the results that are kept.
const out = flags.out ?? (flags.quick ? path.join(tmpdir(), 'ragscale-bench-autoscaling') : import.meta.dirname);
const seeds = Array.from({ length: Number(flags.seeds ?? (flags.quick ? 2 : 10)) }, (_, index) => index + 1);
const oracleSeeds = seeds.slice(0, Number(flags['oracle-seeds'] ?? (flags.quick ? 1 : 3)));
const coldStarts = (flags['cold-starts'] ?? (flags.quick ? '30' : COLD_STARTS_S.join())).split(',').map(Number);
const kinds = flags.pods.split(',') as PodKind[];
const loads = knownLoads().filter(({ name }) => flags.loads?.split(',').includes(name) ?? true);
const tunedFile = existsSync(TUNED_FILE) ? (JSON.parse(readFileSync(TUNED_FILE, 'utf8')) as TunedFile) : {};

interface Candidate {
  readonly policy: string;
  readonly variant: Variant;
  readonly settings: unknown;
  readonly scaler: ScalerFactory;
  readonly start: Partial<SimulationOptions>;
}

function oursFor(kind: PodKind): Candidate[] {
  const facts = factsOf(POD_KINDS[kind]);
  const byDefault = JSON.stringify(OUR_POLICY.defaults(facts));
  return OUR_POLICY.knobs.percentile!.tries.map((percentile): Candidate => {
    const settings = OUR_POLICY.settings(facts, { percentile });
    const variant = JSON.stringify(settings) === byDefault ? 'default' : 'other';
    return { policy: OUR_POLICY.name, variant, settings, scaler: OUR_POLICY.create(settings), start: {} };
  });
}

function othersFor(kind: PodKind, coldStartS: number, load: Load): Candidate[] {
  const facts = factsOf(podsOf(kind, coldStartS));
  return OTHERS.flatMap((policy): Candidate[] => {
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
}

type Where = { readonly kind: PodKind; readonly coldStartS: number; readonly load: Load };

function pointOf({ kind, coldStartS, load }: Where, candidate: Candidate, runSeeds: readonly number[]): Point {
  const { scaler, start, ...who } = candidate;
  const results = runSeeds.map((seed) => trial({ load, kind, coldStartS, seed }, scaler, start));
  const of = (read: (result: SimulationResult) => number) => estimate(results.map(read));
  const ofFirst = (read: (result: SimulationResult) => number) =>
    estimate(results.slice(0, oracleSeeds.length).map(read)).mean;
  return {
    kind,
    coldStartS,
    load: load.name,
    ...who,
    requests: of(({ requests }) => requests).mean,
    violations: of(({ violationShare }) => violationShare),
    replicaSeconds: of(({ replicaSeconds }) => replicaSeconds),
    p95Ms: of(({ latencyMs }) => latencyMs.p95),
    changes: of(({ changes }) => changes),
    onOracleSeeds: {
      violations: ofFirst(({ violationShare }) => violationShare),
      replicaSeconds: ofFirst(({ replicaSeconds }) => replicaSeconds),
    },
  };
}

function oracleAt({ kind, coldStartS, load }: Where): OraclePoint {
  const places = oracleSeeds.map((seed) => ({ load, kind, coldStartS, seed }));
  const costs = places.map((place) => oracleCost(place, ORACLE_DEFAULTS.rounds));
  const rates = places.map((place) => oracleCost(place, 0));
  return {
    kind,
    coldStartS,
    load: load.name,
    violations: estimate(costs.map(({ violations }) => violations)).mean,
    replicaSeconds: estimate(costs.map(({ replicaSeconds }) => replicaSeconds)).mean,
    lowerBound: estimate(costs.map(({ lowerBound }) => lowerBound)).mean,
    rateKnown: estimate(rates.map(({ replicaSeconds }) => replicaSeconds)).mean,
  };
}

/** What the law computes with, what the others run behind, and what two proxies make of it. */
function proxiesOf(slots: number): Record<string, Partial<ProxyOptions>> {
  return {
    'one line that knows every slot': { spread: 'least-request', podConcurrency: slots },
    'one proxy, round robin': {},
    'two proxies, round robin': { count: 2 },
    'two proxies, least request': { count: 2, spread: 'least-request' },
  };
}

function proxyPoints({ kind, coldStartS, load }: Where): ProxyPoint[] {
  const ours = oursFor(kind).find(({ variant }) => variant === 'default')!;
  return Object.entries(proxiesOf(POD_KINDS[kind].slots)).map(([proxies, given]) => {
    const results = oracleSeeds.map((seed) =>
      trial({ load, kind, coldStartS, seed }, ours.scaler, { proxies: { ...DEFAULT_PROXIES, ...given } }),
    );
    const mean = (read: (result: SimulationResult) => number) => estimate(results.map(read)).mean;
    return {
      kind,
      coldStartS,
      proxies,
      load: load.name,
      requests: mean(({ requests }) => requests),
      violations: mean(({ violationShare }) => violationShare),
      replicaSeconds: mean(({ replicaSeconds }) => replicaSeconds),
    };
  });
}

function tell(what: string): void {
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(0)} s: ${what}`);
}

const points: Point[] = [];
const oracle: OraclePoint[] = [];
const withoutColdStart: Point[] = [];
const proxies: ProxyPoint[] = [];
for (const kind of kinds) {
  for (const coldStartS of coldStarts) {
    for (const load of loads) {
      const where = { kind, coldStartS, load };
      for (const candidate of [...oursFor(kind), ...othersFor(kind, coldStartS, load)]) {
        points.push(pointOf(where, candidate, seeds));
      }
      if (!load.isStationary) proxies.push(...proxyPoints(where));
      tell(`${kind}, cold start ${coldStartS} s, ${load.name}`);
    }
  }
  if (!flags.oracle) continue;
  // At no cold start too: what of the way to the oracle is cold start?
  for (const coldStartS of [0, ...coldStarts]) {
    for (const load of loads) {
      const where = { kind, coldStartS, load };
      oracle.push(oracleAt(where));
      if (coldStartS === 0) withoutColdStart.push(...oursFor(kind).map((one) => pointOf(where, one, oracleSeeds)));
      tell(`${kind}, cold start ${coldStartS} s, ${load.name}: oracle`);
    }
  }
}

const [kind, coldStartS, load] = [kinds[0]!, coldStarts.includes(30) ? 30 : coldStarts[0]!, loads[0]!];
const timelines = [...oursFor(kind), ...othersFor(kind, coldStartS, load)]
  .filter(({ policy, variant }) => variant === (policy === OUR_POLICY.name ? 'default' : 'tuned'))
  .map(({ policy, scaler, start }): Timeline => {
    const { timeline } = trial({ load, kind, coldStartS, seed: 1 }, scaler, { ...start, sampleIntervalMs: 15_000 });
    return { policy, samples: timeline };
  });
const report: Report = {
  settings: {
    objectiveMs: OBJECTIVE_MS,
    allowed: ALLOWED,
    seeds,
    oracleSeeds,
    loads: loads.map(({ name, about, isStationary }) => ({ name, about, isStationary })),
  },
  points,
  oracle,
  withoutColdStart,
  proxies,
  timelines,
};
const file = (name: string) => path.join(out, name);
mkdirSync(out, { recursive: true });
writeFileSync(file('results.json'), `${JSON.stringify(report, null, 1)}\n`);
writeFileSync(file('results.md'), tablesOf(report));
await drawPareto(report, file('pareto.svg'));
await drawTimelines(report, file('timeline.svg'));
console.log(tablesOf(report));
tell(`results in ${out}`);
