import type { Decision } from '@ragscale/scaling/decision';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../report.ts';
import { ScreenReporter } from './screen-reporter.ts';
import type { SystemEvent } from './system-event.ts';

const DECISION: Decision = {
  replicas: 3,
  recommended: 3,
  reason: 'load',
  terms: { spec: 2, ready: 2, starting: 0, perSecond: 11.2, aloneMs: 520, load: 3, planned: 3, backlog: 0 },
};

const REPORT = {
  target: { policy: { objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 } } },
  state: { replicas: { spec: 2, ready: 2, startingAgesMs: [] }, readyPods: [] },
  measured: { trouble: undefined },
  decision: DECISION,
  scaled: false,
  problem: undefined,
} as unknown as Report;

let told: SystemEvent[];
let reporter: ScreenReporter;
beforeEach(() => {
  told = [];
  reporter = new ScreenReporter({ tell: (event) => told.push(event), log: () => undefined }, 10_000);
});

describe('the reporter for a terminal', () => {
  it('has a line for a change, and none for a round without', () => {
    reporter.report(REPORT);
    reporter.report({ ...REPORT, scaled: true });
    expect(told).toEqual([
      {
        kind: 'scaled',
        from: 2,
        to: 3,
        why: '2 -> 3 load: 11.2/s x 0.52 s = 5.8 busy, 95% under 2 s needs 3 (Erlang), 3 with what may come, +0 backlog; ready 2, starting 0',
      },
    ]);
  });

  it('tells of trouble that lasts, once', () => {
    const rounds = ['a', 'b', undefined, 'a', 'b', 'c 1', 'c 2', undefined, 'e', 'f'];
    for (const [round, trouble] of rounds.entries()) {
      reporter.report({ ...REPORT, at: 5_000 * round, measured: { trouble } } as unknown as Report);
    }
    expect(told).toEqual([{ kind: 'trouble', message: 'the autoscaler takes no pod away: c 1' }]);
  });

  it('tells of a problem at once, and of each once', () => {
    const problems = [undefined, 'One', 'One', 'Two', undefined, 'Two'];
    for (const reason of problems) {
      const problem = reason === undefined ? undefined : { reason, message: `${reason} is wrong` };
      reporter.report({ ...REPORT, problem });
    }
    const messages = told.map((event) => (event.kind === 'trouble' ? event.message.split(': ')[1] : event.kind));
    expect(messages).toEqual(['One is wrong', 'Two is wrong', 'Two is wrong']);
  });
});
