import { describe, expect, it } from 'vitest';
import { aTarget, measuredWith, reportWith, value } from '../../test/reports.ts';
import type { Report } from '../report.ts';
import { pressingPart, type Status, statusOf, statusOfRefusal, statusSchema, wholePart } from './status.ts';

const LATER = Date.parse('2026-11-22T11:00:00Z');

function first(other: Partial<Report> = {}): Status {
  return statusOf(reportWith(other), {}, 3);
}

function conditionsOf({ conditions = [] }: Status): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

function decision(reason: string, terms: Record<string, number> = {}): Partial<Report> {
  const usual = reportWith().decision!;
  return { decision: { ...usual, reason: reason as never, terms: { ...usual.terms, ...terms } } };
}

describe('statusOf', () => {
  it('tells the numbers, the decision and what is good', () => {
    expect(first({ measured: measuredWith({ bad: value(0.0081) }) })).toMatchObject({
      observedGeneration: 3,
      currentReplicas: 2,
      readyReplicas: 2,
      desiredReplicas: 2,
      recommendedReplicas: 2,
      good: '99.1%',
      lastDecision: {
        time: '2026-11-22T10:00:00Z',
        reason: 'within-tolerance',
        explanation:
          '2 -> 2 within-tolerance: 4/s x 0.5 s = 2 busy, 95% under 2 s needs 2 (Erlang), 2 with what may come, +0 backlog; ready 2, starting 0',
      },
    });
  });

  it('rounds what was learnt, leaves out what was not, and says units', () => {
    const estimates = {
      arrivalRate: 4.049,
      serviceMs: 517,
      coldStartMs: 31_400,
      growth: undefined,
      spread: Number.NaN,
    };
    expect(first({ estimates: estimates as never }).estimates).toEqual({
      arrivalRate: '4',
      service: '520ms',
      coldStart: '31s',
    });
  });

  it('keeps what a round knows nothing of', () => {
    const before = first({ scaled: true });
    const problem = { reason: 'TargetNotFound', message: 'there is no Deployment/rag' };
    const nothing = { state: undefined, measured: undefined, decision: undefined, estimates: undefined };
    const after = statusOf(reportWith({ ...nothing, problem, at: LATER }), before, 4);
    expect(after).toMatchObject({
      observedGeneration: 4,
      currentReplicas: 2,
      lastScaleTime: '2026-11-22T10:00:00Z',
      lastDecision: { time: '2026-11-22T10:00:00Z' },
    });
    expect(conditionsOf(after)).toEqual({
      Ready: 'False TargetNotFound',
      AbleToScale: 'False TargetNotFound',
      ScalingActive: 'True MetricsFound',
      ScalingLimited: 'False WithinLimits',
    });
  });

  it('changes the time of a condition only with its status', () => {
    const before = first();
    const problem = { reason: 'TargetNotFound', message: 'there is no Deployment/rag' };
    const broken = statusOf(reportWith({ problem, at: LATER }), before, 3);
    const other = { reason: 'Forbidden', message: 'a right is missing' };
    const stillBroken = statusOf(reportWith({ problem: other, at: LATER + 60_000 }), broken, 3);
    const ready = [before, broken, stillBroken].map(({ conditions }) => conditions?.[0]?.lastTransitionTime);
    expect(ready).toEqual(['2026-11-22T10:00:00Z', '2026-11-22T11:00:00Z', '2026-11-22T11:00:00Z']);
  });

  it('makes nothing of a conflict: the next round looks again', () => {
    const problem = { reason: 'Conflict', message: 'somebody else was faster' };
    expect(conditionsOf(first({ problem }))).toMatchObject({
      Ready: 'True Deciding',
      AbleToScale: 'True ReadyForNewScale',
    });
  });

  it.each([
    [{ kind: 'empty' } as const, 'False MetricsMissing'],
    [{ kind: 'failed' } as const, 'False MetricsMissing'],
    [{ kind: 'nan' } as const, 'False MetricsMissing'],
    [{ kind: 'stale', ageMs: 90_000 } as const, 'False MetricsStale'],
    [value(0), 'True MetricsFound'],
  ])('says whether there is anything to decide by: arrivals %j', (rate, expected) => {
    expect(conditionsOf(first({ measured: measuredWith({ rate }) }))).toHaveProperty('ScalingActive', expected);
  });

  it('says in words what is missing', () => {
    const trouble = 'Prometheus does not answer';
    const { conditions } = first({ measured: measuredWith({ rate: { kind: 'failed' } }, { trouble }) });
    expect(conditions?.find(({ type }) => type === 'ScalingActive')?.message).toBe(trouble);
  });

  it.each([
    ['at-max', 'True TooManyReplicas'],
    ['at-min', 'True TooFewReplicas'],
    ['rate-limited', 'True RateLimited'],
    ['cold-start-pending', 'True ColdStartOverdue'],
    ['stabilizing', 'False WithinLimits'],
  ])('says what limits the number: %s', (reason, expected) => {
    expect(conditionsOf(first(decision(reason)))).toHaveProperty('ScalingLimited', expected);
  });

  it.each([
    ['paused', 'False Paused'],
    ['recommend-only', 'False RecommendOnly'],
  ])('says that nothing is changed: %s', (reason, expected) => {
    expect(conditionsOf(first(decision(reason)))).toHaveProperty('ScalingActive', expected);
  });

  it('tells what is rarely the case where it is, and then that it is no longer', () => {
    const policy = { ...aTarget.policy, paused: true, pausedReplicas: 3 };
    const rare = first({
      target: { ...aTarget, policy },
      measured: measuredWith({}, { isTooCoarse: true, scrapeIntervalMs: 60_000, boundMs: 1_500 }),
    });
    expect(conditionsOf(rare)).toMatchObject({
      Paused: 'True Annotated',
      MetricsTooCoarse: 'True ScrapeIntervalTooLong',
      ObjectiveBetweenBuckets: 'True NextLowerBound',
    });
    expect(rare.conditions?.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        'the number of replicas is held at 3',
        'the proxies are scraped too seldom for the windows (every 1m): longer windows are used, which see a surge later',
        'no bound of the histogram lies on 2s: answers within 1500ms count as good'.replace('1500ms', '1.5s'),
      ]),
    );
    expect(conditionsOf(statusOf(reportWith(), rare, 3))).toMatchObject({
      Paused: 'False NotAnnotated',
      MetricsTooCoarse: 'False FineEnough',
      ObjectiveBetweenBuckets: 'False BoundFound',
    });
    const slow = first(decision('load', { reachMs: 2_441 }));
    expect(conditionsOf(slow)).toHaveProperty('ObjectiveOutOfReach', 'True SlowAlone');
    expect(conditionsOf(statusOf(reportWith(decision('load', { reachMs: 2_000 })), slow, 3))).toHaveProperty(
      'ObjectiveOutOfReach',
      'False WithinReach',
    );
    expect(Object.keys(conditionsOf(first()))).toEqual(['Ready', 'AbleToScale', 'ScalingActive', 'ScalingLimited']);
  });

  it('can be read back', () => {
    const status = first({ scaled: true, estimates: { serviceMs: 500 } as never });
    expect(statusSchema.parse(JSON.parse(JSON.stringify(status)))).toEqual(status);
  });
});

describe('statusOfRefusal', () => {
  it('leaves no number that somebody could believe', () => {
    const problem = { reason: 'InvalidSpec', message: 'spec.mode must be Active or Recommend' };
    const status = statusOfRefusal(problem, first({ scaled: true }), 4, LATER);
    expect(Object.keys(status).sort()).toEqual(['conditions', 'lastScaleTime', 'observedGeneration']);
    expect(conditionsOf(status)).toMatchObject({ Ready: 'False InvalidSpec', ScalingActive: 'False InvalidSpec' });
  });
});

describe('what is written when', () => {
  it('is at once what happened, and later what only moved', () => {
    const before = first();
    const moved = statusOf(reportWith({ measured: measuredWith({ bad: value(0.02) }), at: LATER }), before, 3);
    expect(pressingPart(moved)).toBe(pressingPart(before));
    expect(wholePart(moved)).not.toBe(wholePart(before));
    const happened = statusOf(reportWith(decision('at-max')), before, 3);
    expect(pressingPart(happened)).not.toBe(pressingPart(before));
  });

  it('is nothing where the same was decided again', () => {
    const before = first();
    const again = statusOf(reportWith({ at: LATER }), before, 3);
    expect(pressingPart(again)).toBe(pressingPart(before));
    expect(wholePart(again)).toBe(wholePart(before));
  });

  it('does not depend on the order of what the API server gives back', () => {
    const before = first();
    const turned = Object.fromEntries(Object.entries(before).reverse()) as Status;
    expect(wholePart(turned)).toBe(wholePart(before));
  });
});
