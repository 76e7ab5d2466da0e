/** Who scales in a simulation? Ours, or one of the others with its settings. */
import type { Knob, PodFacts, ReplicaLimits, Turned } from '@ragscale/scaling/competitors/competitor';
import { COMPETITORS, competitorNamed } from '@ragscale/scaling/competitors/registry';
import type { Objective } from '@ragscale/scaling/policy';
import { createScaler } from '@ragscale/scaling/scaler';
import type { ScalerFactory } from '@ragscale/scaling/simulator/options';

export const POLICIES = ['ragscale', 'hpa', 'keda', 'kpa', 'ray', 'seed', 'static', 'oracle'] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface SimulatedPolicy {
  /** Of the others. */
  readonly settings: unknown;
  readonly scaler: ScalerFactory;
  /** What it begins with, where that is its own affair. */
  readonly initialReplicas: number | undefined;
}

/** @param name not the oracle, which plans by what it is to see */
export function policyOf(
  name: Exclude<PolicyName, 'oracle'>,
  parts: { objective: Objective; limits: ReplicaLimits; pod: PodFacts; turned: Turned },
): SimulatedPolicy {
  const { objective, limits, pod, turned } = parts;
  if (name === 'ragscale') {
    const spec = { minReplicas: limits.min, maxReplicas: limits.max, objective };
    return { settings: undefined, scaler: (start) => createScaler(spec, start), initialReplicas: undefined };
  }
  const competitor = competitorNamed(name);
  const settings = competitor.settings(pod, turned);
  const fixed = name === 'static' ? COMPETITORS.static.settings(pod, turned).replicas : undefined;
  return { settings, scaler: competitor.create(settings, limits), initialReplicas: fixed };
}

function knobsOf(name: PolicyName): Readonly<Record<string, Knob>> {
  return name === 'ragscale' || name === 'oracle' ? {} : competitorNamed(name).knobs;
}

/** @returns what is turned, or a sentence on what is wrong with it */
export function turnedOf(name: PolicyName, given: readonly string[]): Turned | string {
  const knobs = knobsOf(name);
  const turned: Record<string, number | string> = {};
  for (const setting of given) {
    const [, key = '', text = ''] = /^([^=]*)=(.*)$/.exec(setting) ?? [];
    const knob = knobs[key];
    if (knob === undefined) {
      const known = Object.keys(knobs);
      return `'${setting}' is no setting of ${name}: ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}`;
    }
    const value = typeof knob.tries[0] === 'number' ? numberFor(knob, text) : text;
    if (value === undefined || (typeof value === 'string' && !knob.tries.includes(value))) {
      const expected =
        typeof knob.tries[0] === 'string'
          ? knob.tries.join(' or ')
          : `a ${knob.isWhole ? 'whole ' : ''}number, such as ${knob.tries[knob.tries.length >> 1]}`;
      return `'${setting}': ${key} is ${expected}`;
    }
    turned[key] = value;
  }
  return turned;
}

function numberFor({ isWhole, tries }: Knob, text: string): number | undefined {
  const value = Number(text);
  const mayBeZero = tries.includes(0);
  const fits = text.trim() !== '' && Number.isFinite(value) && (mayBeZero ? value >= 0 : value > 0);
  return fits && (!isWhole || Number.isInteger(value)) ? value : undefined;
}

/** A paragraph of the help. */
export function settingsHelp(): string {
  const lines = Object.keys(COMPETITORS).flatMap((name) =>
    Object.entries(knobsOf(name as PolicyName)).map(
      ([knob, { about }]) => `  ${name.padEnd(7)} ${knob.padEnd(17)} ${about}`,
    ),
  );
  return [
    'Settings of the policies, for --setting (S: seconds); out of the box where they are not given:',
    ...lines,
  ].join('\n');
}
