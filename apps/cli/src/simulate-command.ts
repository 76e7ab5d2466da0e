/** `ragscale simulate`: what would a way to scale do under a load, and what would it cost? */
import { type LoadName, NAMED_LOADS } from '@ragscale/scaling/arrivals/named-loads';
import { ORACLE_DEFAULTS, type OraclePlan, planOracle } from '@ragscale/scaling/competitors/oracle';
import { ordersOf, scheduledScaler } from '@ragscale/scaling/competitors/schedule';
import { DEFAULT_PODS, SINGLE_SLOT_PODS, simulationOptions } from '@ragscale/scaling/simulator/defaults';
import { initialReplicas, peakRate } from '@ragscale/scaling/simulator/initial-replicas';
import type { PodOptions, ScalerFactory, SimulationOptions } from '@ragscale/scaling/simulator/options';
import { SPREADS, type Spread } from '@ragscale/scaling/simulator/proxy';
import { seededRandom } from '@ragscale/scaling/simulator/random';
import type { SimulationResult } from '@ragscale/scaling/simulator/result';
import { STREAMS, simulate } from '@ragscale/scaling/simulator/simulate';
import { Command, InvalidArgumentError, Option } from 'commander';
import { durationIn, numberIn, shownDuration } from './option-values.ts';
import { type Progress, printJson, progressLine } from './output.ts';
import { DEFAULT_DURATION_MS, loadOf, type SimulatedLoad } from './simulated-load.ts';
import { POLICIES, type PolicyName, policyOf, settingsHelp, turnedOf } from './simulated-policy.ts';
import { printReport, reportOf } from './simulation-report.ts';

const POD_KINDS = { batched: DEFAULT_PODS, single: SINGLE_SLOT_PODS } as const;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Of loads up to so many requests the oracle plans for several seeds: a plan takes as long as hundreds of simulations. */
const MANY_REQUESTS = 100_000;
const ORACLE_SEEDS = 3;

interface SimulateFlags {
  trace?: string;
  load?: LoadName;
  policy: PolicyName;
  objective: number;
  percentile: number;
  coldStart: number;
  meanService: number;
  pods: keyof typeof POD_KINDS;
  sizes: 'measured' | 'tokens';
  rateFactor: number;
  rate: number;
  duration?: number;
  seeds: number;
  oracle: boolean;
  oracleSeeds?: number;
  oracleAllows: number;
  min: number;
  max: number;
  initial?: number;
  proxies: number;
  balancing: Spread;
  setting: string[];
  json?: true;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('what a way to scale does under a load, and what it costs, in simulated time')
    .addOption(new Option('--policy <name>', 'who scales').choices(POLICIES).makeOptionMandatory())
    .requiredOption('--objective <duration>', 'an answer that takes longer is not good', durationIn(1, HOUR_MS))
    .option('--trace <file>', 'CSV with a line for each request: TIMESTAMP (or the first column) is its time')
    .addOption(
      new Option('--load <name>', 'a load that is made, in place of a trace').choices(
        Object.keys(NAMED_LOADS) as LoadName[],
      ),
    )
    .option('--rate <n>', 'requests a second of --load, on average', numberIn(0.01, 10_000), 10)
    .option('--rate-factor <n>', 'times the rate of --trace, at the same times', numberIn(0.01, 1_000), 1)
    .option(
      '--duration <duration>',
      `of --load (default: ${shownDuration(DEFAULT_DURATION_MS)}); a trace is repeated, or cut, until it is so long`,
      durationIn(60_000, 31 * DAY_MS),
    )
    .addOption(
      durationOption('--cold-start <duration>', 'from the creation of a pod until it answers', {
        leastMs: 0,
        defaultMs: 30_000,
      }),
    )
    .option('--percentile <n>', 'share that is to be within the objective, for ragscale', numberIn(50, 99.99), 95)
    .addOption(
      durationOption('--mean-service <duration>', 'of the mean request when it runs alone', {
        leastMs: 1,
        defaultMs: 500,
      }),
    )
    .addOption(
      new Option('--pods <kind>', 'batched: 16 at once, with the measured curve of our pod; single: one at a time')
        .choices(Object.keys(POD_KINDS) as (keyof typeof POD_KINDS)[])
        .default('batched'),
    )
    .addOption(
      new Option(
        '--sizes <model>',
        'measured: hardly different, as of our pod; tokens: by GeneratedTokens of the trace',
      )
        .choices(['measured', 'tokens'] as const)
        .default('measured'),
    )
    .option('--min <n>', 'replicas at least', numberIn(0, 10_000, 'whole'), 1)
    .option('--max <n>', 'replicas at most', numberIn(1, 10_000, 'whole'), 100)
    .option(
      '--initial <n>',
      'replicas at the start (default: twice what the first five minutes need)',
      numberIn(0, 10_000, 'whole'),
    )
    .option('--proxies <n>', 'between which clients choose by chance', numberIn(1, 64, 'whole'), 1)
    .addOption(
      new Option('--balancing <policy>', 'how a proxy picks a pod').choices(SPREADS).default('round-robin' as const),
    )
    .addOption(
      new Option('--setting <name=value>', 'of a policy, see below; may be repeated')
        .argParser(collected)
        .default([], 'out of the box'),
    )
    .option('--seeds <n>', 'simulations, for means and confidence intervals', numberIn(1, 1_000, 'whole'), 20)
    .option('--no-oracle', 'do not ask what somebody who knows the future would pay, which takes longest')
    .option(
      '--oracle-seeds <n>',
      `of these it is asked (default: ${ORACLE_SEEDS}, 1 where there are over ${MANY_REQUESTS} requests)`,
      numberIn(1, 1_000, 'whole'),
    )
    .option('--oracle-allows <percent>', 'of the requests that it may fail', numberIn(0, 50), 0.5)
    .option('--json', 'print JSON')
    .addHelpText('after', () => `\n${settingsHelp()}\n\ndocs/simulate.md has examples.`)
    .action((flags: SimulateFlags, command: Command) => {
      const problem = problemOf(flags);
      if (problem !== undefined) command.error(`error: ${problem}`);
      const report = simulated(flags);
      if (flags.json) printJson(report);
      else printReport(report);
    });
}

function durationOption(flags: string, about: string, { leastMs, defaultMs }: { leastMs: number; defaultMs: number }) {
  return new Option(flags, about).argParser(durationIn(leastMs, HOUR_MS)).default(defaultMs, shownDuration(defaultMs));
}

function collected(value: string, before: readonly string[]): string[] {
  if (!value.includes('=')) throw new InvalidArgumentError('name=value is expected');
  return [...before, value];
}

/** What options do not permit together. */
function problemOf(flags: SimulateFlags): string | undefined {
  const { trace, load, rateFactor, sizes, min, max, policy, setting } = flags;
  if (trace === undefined && load === undefined) return 'give --trace, or --load';
  if (trace !== undefined && load !== undefined) return 'give --trace or --load, not both';
  if (trace === undefined && rateFactor !== 1) return '--rate-factor needs --trace; --load has --rate';
  if (trace === undefined && sizes === 'tokens') return '--sizes tokens needs --trace';
  if (min > max) return `--min ${min} is more than --max ${max}`;
  const turned = turnedOf(policy, setting);
  return typeof turned === 'string' ? `option '--setting <name=value>' argument ${turned}` : undefined;
}

function simulated(flags: SimulateFlags) {
  const { policy, objective, percentile, coldStart, oracleAllows } = flags;
  const load = loadOf({ ...flags, ...(flags.duration === undefined ? {} : { durationMs: flags.duration }) });
  const allowed = oracleAllows / 100;
  const first = optionsFor(flags, load, 1);
  const requests = first.arrivals.timesMs.length;
  const planned = Math.min(flags.seeds, flags.oracleSeeds ?? (requests > MANY_REQUESTS ? 1 : ORACLE_SEEDS));
  const plan = (seed: number, progress: Progress, [done, total]: readonly [number, number]): OraclePlan => {
    const { scaler: _, ...options } = optionsFor(flags, load, seed);
    return planOracle(options, {
      ...ORACLE_DEFAULTS,
      limits: { min: flags.min, max: flags.max },
      allowed,
      onProgress: (share) => progress.update(done + share, total),
    });
  };
  const plansFor = (count: number): OraclePlan[] => {
    const progress = progressLine('planning with hindsight', seedsOf);
    const plans = Array.from({ length: count }, (_, index) => plan(index + 1, progress, [index, count]));
    progress.end();
    return plans;
  };

  let results: SimulationResult[];
  let plans: OraclePlan[] = [];
  if (policy === 'oracle') {
    plans = plansFor(flags.seeds);
    results = plans.map(({ schedule }, index) =>
      simulate({
        ...optionsFor(flags, load, index + 1),
        initialReplicas: ordersOf(schedule, coldStart)[0]!,
        scaler: scheduledScaler(schedule, coldStart),
      }),
    );
  } else {
    const progress = progressLine('simulating', seedsOf);
    results = Array.from({ length: flags.seeds }, (_, index) => {
      const options = optionsFor(flags, load, index + 1);
      return simulate({ ...options, scaler: watched(options, (share) => progress.update(index + share, flags.seeds)) });
    });
    progress.end();
    if (flags.oracle) plans = plansFor(planned);
  }
  const { settings } = first;
  return reportOf(
    {
      policy,
      load: load.name,
      objective: { latencySeconds: objective / SECOND_MS, percentile },
      coldStartSeconds: coldStart / SECOND_MS,
      pods: flags.pods,
      durationMs: first.arrivals.durationMs,
      allowed,
      settings,
    },
    results,
    plans,
  );
}

const seedsOf = (count: number): string => `${count} ${count === 1 ? 'seed' : 'seeds'}`;

/** The same decisions, and whoever watches is told how far they are. */
function watched(options: SimulationOptions & { arrivals: { durationMs: number } }, tell: (share: number) => void) {
  const watchedScaler: ScalerFactory = (start) => {
    const scaler = options.scaler(start);
    return {
      periodMs: scaler.periodMs,
      decide(observation, now) {
        tell(now / options.arrivals.durationMs);
        return scaler.decide(observation, now);
      },
    };
  };
  return watchedScaler;
}

function optionsFor(flags: SimulateFlags, load: SimulatedLoad, seed: number) {
  const { policy, setting, min, max, objective, percentile, pods: kind, coldStart, meanService } = flags;
  const pods: PodOptions = {
    ...POD_KINDS[kind],
    meanServiceMs: meanService,
    coldStart: { readyMs: coldStart },
    ...(flags.sizes === 'tokens' ? { sizes: { kind: 'tokens' as const } } : {}),
  };
  const arrivals = load.arrivals(seededRandom(seed, STREAMS.arrivals));
  const chosen = policyOf(policy === 'oracle' ? 'static' : policy, {
    objective: { metric: 'duration', latencyMs: objective, percentile },
    limits: { min, max },
    pod: { slots: pods.slots, peakRate: peakRate(pods) },
    turned: turnedOf(policy, setting) as Exclude<ReturnType<typeof turnedOf>, string>,
  });
  const initial = flags.initial ?? chosen.initialReplicas ?? initialReplicas(arrivals, pods);
  return {
    ...simulationOptions({
      seed,
      arrivals,
      scaler: chosen.scaler,
      initialReplicas: Math.min(max, Math.max(min, initial)),
      objectiveMs: objective,
      pods,
      proxies: { count: flags.proxies, spread: flags.balancing },
    }),
    arrivals,
    settings: policy === 'oracle' ? undefined : chosen.settings,
  };
}
