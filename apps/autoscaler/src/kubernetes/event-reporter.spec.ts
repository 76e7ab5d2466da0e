import { beforeEach, describe, expect, it } from 'vitest';
import { aTarget, measuredWith, reportWith, value } from '../../test/reports.ts';
import type { Report } from '../report.ts';
import { EventReporter } from './event-reporter.ts';
import { latencyAutoscalerSchema } from './latency-autoscaler.ts';

const RESOURCE = latencyAutoscalerSchema.parse({
  metadata: {
    ...{ name: 'a', namespace: 'rag', uid: 'u', resourceVersion: '7' },
    creationTimestamp: '2026-11-22T10:00:00Z',
  },
});
const LOST = { measured: measuredWith({ rate: { kind: 'failed' } }, { trouble: 'Prometheus does not answer' }) };
const PROBLEM = { problem: { reason: 'TargetNotFound', message: 'there is no Deployment/rag' } };

let told: string[];
let reporter: EventReporter;
let remainingMs: number;

beforeEach(() => {
  told = [];
  remainingMs = 10_000;
  reporter = new EventReporter({
    recorder: { record: (_, { type, reason, message }) => told.push(`${type} ${reason}: ${message}`) },
    find: (id) => (id === 'rag/a' ? { target: aTarget, scaleTargetRef: {} as never, resource: RESOURCE } : undefined),
    leadership: { remainingMs: () => remainingMs },
  });
});

function report(...rounds: Partial<Report>[]): string[] {
  for (const round of rounds) reporter.report(reportWith(round));
  return told;
}

function limited(reason: string): Partial<Report> {
  return { decision: { ...reportWith().decision!, reason: reason as never, recommended: 9 } };
}

describe('EventReporter', () => {
  it('tells nothing of rounds in which nothing happens', () => {
    expect(report({}, {}, limited('stabilizing'), limited('at-min'))).toEqual([]);
  });

  it('tells each change of the number, with its explanation', () => {
    const [event] = report({ scaled: true });
    expect(event).toMatch(/^Normal SuccessfulRescale: 2 -> 2 .* 95% under 2 s needs 2 \(Erlang\)/);
  });

  it('tells a problem once while it lasts, and that it is over', () => {
    const nothing = { state: undefined, measured: undefined, decision: undefined };
    expect(report({}, { ...PROBLEM, ...nothing }, { ...PROBLEM, ...nothing }, {}, {})).toEqual([
      'Warning TargetNotFound: there is no Deployment/rag',
      'Normal Recovered: the target can be scaled again',
    ]);
  });

  it('tells nothing of a conflict', () => {
    expect(report({ problem: { reason: 'Conflict', message: 'somebody else was faster' } })).toEqual([]);
  });

  it('tells that the metrics are missing, and that they are back', () => {
    const lostAndFound = [
      'Warning MetricsMissing: Prometheus does not answer',
      'Normal MetricsRecovered: the metrics are there again',
    ];
    expect(report({}, LOST, LOST, {}, {})).toEqual(lostAndFound);
  });

  it('waits a minute with that where the resource is new', () => {
    expect(report(...Array(11).fill(LOST), {})).toEqual([]);
    reporter.forget(aTarget);
    expect(report(...Array(20).fill(LOST))).toEqual(['Warning MetricsMissing: Prometheus does not answer']);
  });

  it('does not take a target that cannot be looked at for one without metrics', () => {
    expect(report({}, { ...PROBLEM, state: undefined, measured: undefined, decision: undefined }, {})).toHaveLength(2);
  });

  it('tells that the maximum is too low, once the objective is missed for it', () => {
    const bad = { measured: measuredWith({ bad: value(0.2) }) };
    expect(report(limited('at-max'), { ...limited('at-max'), ...bad }, { ...limited('at-max'), ...bad })).toEqual([
      'Warning ScalingLimited: the objective is not held: 9 replicas are wanted, spec.maxReplicas is 5',
    ]);
  });

  it('tells of pods that do not come, and of coarse metrics', () => {
    const state = { ...reportWith().state!, waitingFor: 'a-3: ImagePullBackOff' };
    const coarse = { measured: measuredWith({}, { isTooCoarse: true }) };
    expect(report({ ...limited('cold-start-pending'), state }, coarse, coarse).map((one) => one.split(':')[0])).toEqual(
      ['Warning ColdStartOverdue', 'Warning MetricsTooCoarse'],
    );
    expect(told[0]).toContain('a-3: ImagePullBackOff');
  });

  it('tells a refusal once for each cause, and only as the one that decides', () => {
    const refusal = { reason: 'InvalidSpec', message: 'spec.mode is wrong' };
    remainingMs = 0;
    reporter.refuse(RESOURCE, refusal);
    expect(told).toEqual([]);
    remainingMs = 10_000;
    reporter.refuse(RESOURCE, refusal);
    reporter.refuse(RESOURCE, refusal);
    reporter.refuse(RESOURCE, { ...refusal, message: 'spec.route is wrong' });
    expect(told).toHaveLength(2);
  });

  it('tells nothing of what is not watched any more', () => {
    expect(report({ target: { ...aTarget, id: 'rag/b' }, scaled: true })).toEqual([]);
  });

  it('begins anew with what it was told to forget', () => {
    report({}, LOST);
    reporter.forget(aTarget);
    expect(report({}, LOST)).toHaveLength(2);
  });
});
