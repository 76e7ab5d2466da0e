/** How does one setting of one way to scale do under one load? */
import { ORACLE_DEFAULTS, type OraclePlan, planOracle } from '@ragscale/scaling/competitors/oracle';
import { simulationOptions } from '@ragscale/scaling/simulator/defaults';
import { initialReplicas } from '@ragscale/scaling/simulator/initial-replicas';
import type { ScalerFactory, SimulationOptions } from '@ragscale/scaling/simulator/options';
import { seededRandom } from '@ragscale/scaling/simulator/random';
import type { SimulationResult } from '@ragscale/scaling/simulator/result';
import { STREAMS, simulate } from '@ragscale/scaling/simulator/simulate';
import type { Load } from './loads.ts';
import { ALLOWED, LIMITS, OBJECTIVE_MS, type PodKind, podsOf } from './policies.ts';

export interface Place {
  readonly load: Load;
  readonly kind: PodKind;
  readonly coldStartS: number;
  readonly seed: number;
}

const loads = new Map<string, ReturnType<Load['arrivals']>>();

/** The same requests for whoever scales. */
function arrivalsOf({ load, seed }: Pick<Place, 'load' | 'seed'>): ReturnType<Load['arrivals']> {
  const key = `${load.name} ${seed}`;
  const known = loads.get(key);
  if (known !== undefined) return known;
  const made = load.arrivals(seededRandom(seed, STREAMS.arrivals));
  loads.set(key, made);
  return made;
}

export function requestsOf(load: Load, seed: number): number {
  return arrivalsOf({ load, seed }).timesMs.length;
}

function optionsFor(place: Place, scaler: ScalerFactory, given: Partial<SimulationOptions>): SimulationOptions {
  const pods = podsOf(place.kind, place.coldStartS);
  const arrivals = arrivalsOf(place);
  return simulationOptions({
    seed: place.seed,
    arrivals,
    scaler,
    initialReplicas: initialReplicas(arrivals, pods),
    objectiveMs: OBJECTIVE_MS,
    ...given,
    pods,
  });
}

export function trial(place: Place, scaler: ScalerFactory, given: Partial<SimulationOptions> = {}): SimulationResult {
  return simulate(optionsFor(place, scaler, given));
}

/** @param rounds of its search */
export function oracleOf(place: Place, rounds = ORACLE_DEFAULTS.rounds): OraclePlan {
  const nobody: ScalerFactory = () => {
    throw new Error('the oracle brings its own');
  };
  return planOracle(optionsFor(place, nobody, {}), { ...ORACLE_DEFAULTS, limits: LIMITS, allowed: ALLOWED, rounds });
}
