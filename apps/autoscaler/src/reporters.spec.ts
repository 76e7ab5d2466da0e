import type { Decision } from '@ragscale/scaling/decision';
import { AutoscalerMetrics } from '@ragscale/service/autoscaler-metrics';
import { type Logger, pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FleetState } from './fleet.ts';
import { LogReporter } from './log-reporter.ts';
import type { Measured } from './measurements.ts';
import { MetricsReporter } from './metrics-reporter.ts';
import type { Report, Reporter } from './report.ts';
import { Reporters } from './reporters.ts';
import type { Target } from './target.ts';

const target: Target = {
  id: 'rag/pods',
  namespace: 'rag',
  name: 'pods',
  generation: 1,
  route: 'default',
  policy: { maxReplicas: 10, objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 } },
};

const state: FleetState = { replicas: { spec: 2, ready: 1, startingAgesMs: [5_000] }, readyPods: ['a'] };

function measuredWith(trouble?: string): Measured {
  // What was observed is in the terms of the decision.
  return { ageMs: 1_500, trouble } as unknown as Measured;
}

function deciding(reason: Decision['reason'], replicas = 2): Decision {
  return { replicas, recommended: replicas + 1, reason, terms: { spec: 2, load: replicas } };
}

function reportOf(changes: Partial<Report> = {}): Report {
  const rest = { state, measured: measuredWith(), decision: deciding('within-tolerance'), estimates: undefined };
  return { target, at: 0, scaled: false, problem: undefined, ...rest, ...changes };
}

const unseen = { state: undefined, measured: undefined, decision: undefined };
const gone = { reason: 'FailedGetScale', message: 'deployments.apps "pods" not found' };

let lines: Record<string, unknown>[];
let logger: Logger;
beforeEach(() => {
  lines = [];
  logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
});

describe('the log', () => {
  const words = () => lines.map(({ msg, reason }) => reason ?? msg);

  it('has a line for a change and for a new reason, with the numbers and the words', () => {
    const reporter = new LogReporter(logger);
    reporter.report(reportOf());
    reporter.report(reportOf());
    reporter.report(reportOf({ decision: deciding('load', 4), scaled: true }));
    reporter.report(reportOf({ decision: deciding('load', 5), scaled: true }));
    reporter.report(reportOf({ decision: deciding('load', 5) }));
    reporter.report(reportOf());
    expect(words()).toEqual(['within-tolerance', 'load', 'load', 'within-tolerance']);
    expect(lines[1]).toMatchObject({ namespace: 'rag', name: 'pods', from: 2, to: 4, recommended: 5, scaled: true });
    expect(lines[1]?.msg).toMatch(/^2 -> 4 load: /);
  });

  it('tells a problem once, and that it is over', () => {
    const reporter = new LogReporter(logger);
    reporter.report(reportOf({ ...unseen, problem: gone }));
    reporter.report(reportOf({ ...unseen, problem: { ...gone, message: 'not found, again' } }));
    reporter.report(reportOf());
    expect(lines.map(({ msg }) => msg)).toEqual([
      gone.message,
      expect.stringContaining('within-tolerance'),
      'the target is served again',
    ]);
  });

  it('tells of missing metrics once, however their age grows, and that they are back', () => {
    const reporter = new LogReporter(logger);
    reporter.report(reportOf({ measured: measuredWith('the newest sample is 15 s old') }));
    reporter.report(reportOf({ measured: measuredWith('the newest sample is 20 s old') }));
    reporter.report(reportOf());
    expect(words()).toEqual(['within-tolerance', 'the newest sample is 15 s old', 'all that is needed is measured']);
  });

  it('warns of missing metrics once they were there, or have been missing for two minutes', () => {
    const reporter = new LogReporter(logger);
    const missing = (at: number) => reportOf({ at, measured: measuredWith('too few samples') });
    for (const at of [0, 5_000, 120_000, 125_000]) reporter.report(missing(at));
    reporter.forget(target);
    reporter.report(missing(130_000));
    reporter.report(reportOf({ at: 135_000 }));
    reporter.report(missing(140_000));
    const told = lines.filter(({ reason }) => reason === undefined).map(({ level, msg }) => `${level} ${msg}`);
    const [info, warn] = [30, 40];
    expect(told).toEqual([
      `${info} too few samples`,
      `${warn} too few samples`,
      `${info} too few samples`,
      `${info} all that is needed is measured`,
      `${warn} too few samples`,
    ]);
  });

  it('begins anew with a target that was gone', () => {
    const reporter = new LogReporter(logger);
    reporter.report(reportOf());
    reporter.forget(target);
    reporter.report(reportOf());
    expect(words()).toEqual(['within-tolerance', 'within-tolerance']);
  });
});

describe('the metrics', () => {
  const shown = async (metrics: AutoscalerMetrics) => {
    const text = await metrics.render();
    return text
      .split('\n')
      .filter((line) => line.includes('namespace="rag"'))
      .map((line) => line.replace('ragscale_autoscaler_', '').replace('namespace="rag",name="pods"', ''));
  };

  it('show a round', async () => {
    const metrics = new AutoscalerMetrics();
    const reporter = new MetricsReporter(metrics);
    reporter.report(reportOf({ decision: deciding('load', 4), scaled: true }));
    expect(await shown(metrics)).toEqual([
      'replicas{,kind="current"} 4',
      'replicas{,kind="ready"} 1',
      'replicas{,kind="desired"} 4',
      'replicas{,kind="recommended"} 5',
      'decisions_total{,reason="load"} 1',
      'scalings_total{,direction="up"} 1',
      'scalings_total{,direction="down"} 0',
      'term{,term="spec"} 2',
      'term{,term="load"} 4',
      'objective_seconds{,route="default"} 2',
      'metric_age_seconds{} 1.5',
    ]);
  });

  it('show what is wrong in place of what is not known', async () => {
    const metrics = new AutoscalerMetrics();
    const reporter = new MetricsReporter(metrics);
    reporter.report(reportOf());
    reporter.report(reportOf({ ...unseen, problem: gone }));
    expect(await shown(metrics)).toEqual([
      'decisions_total{,reason="within-tolerance"} 1',
      'scalings_total{,direction="up"} 0',
      'scalings_total{,direction="down"} 0',
      'problems_total{,reason="FailedGetScale"} 1',
      'objective_seconds{,route="default"} 2',
    ]);
    reporter.forget(target);
    expect(await shown(metrics)).toEqual([]);
  });

  it('show how old that is which was known last, as long as nobody knows more', async () => {
    const metrics = new AutoscalerMetrics();
    const reporter = new MetricsReporter(metrics);
    const [known, unknown] = [reportOf(), reportOf({ measured: { ...measuredWith('refused'), ageMs: undefined } })];
    const age = async () => (await shown(metrics)).filter((line) => line.startsWith('metric_age'));
    reporter.report(unknown);
    expect(await age()).toEqual([]);
    reporter.report(known);
    reporter.report({ ...unknown, at: known.at + 60_000 });
    expect(await age()).toEqual(['metric_age_seconds{} 61.5']);
    reporter.report({ ...known, at: known.at + 65_000 });
    expect(await age()).toEqual(['metric_age_seconds{} 1.5']);
    reporter.forget(target);
    reporter.report({ ...unknown, at: known.at + 70_000 });
    expect(await age()).toEqual([]);
  });
});

it('several hear of the same rounds, though one of them fails', () => {
  const heard: string[] = [];
  const faulty: Reporter = {
    report: () => {
      throw new Error('a fault');
    },
    forget: () => undefined,
  };
  const listening: Reporter = {
    report: ({ target: { id } }) => heard.push(id),
    forget: ({ id }) => heard.push(`forget ${id}`),
  };
  const reporters = new Reporters([faulty, listening], logger);
  reporters.report(reportOf());
  reporters.forget(target);
  expect(heard).toEqual(['rag/pods', 'forget rag/pods']);
  expect(lines).toMatchObject([{ msg: 'a round could not be reported', err: { message: 'a fault' } }]);
});
