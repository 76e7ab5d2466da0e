import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_HEALTH_SETTINGS,
  EndpointHealth,
  type FailureKind,
  type HealthSettings,
  type ProbeResult,
} from './health.ts';

const { baseEjectionMs, maxEjectionMs } = DEFAULT_HEALTH_SETTINGS;

/** What probes have said, one at each of the first seconds. */
function probed(...results: readonly ProbeResult[]): EndpointHealth {
  return probedWith({}, ...results);
}

function probedWith(settings: Partial<HealthSettings>, ...results: readonly ProbeResult[]): EndpointHealth {
  const health = new EndpointHealth({ ...DEFAULT_HEALTH_SETTINGS, ...settings });
  results.forEach((result, i) => {
    health.probed(result, i);
  });
  return health;
}

function fail(health: EndpointHealth, times: number, now: number, kind: FailureKind = 'status'): boolean[] {
  return Array.from({ length: times }, () => health.failed(kind, now));
}

/** Ejects a healthy pod and says for how long. */
function ejectionMs(health: EndpointHealth, now: number): number {
  fail(health, 5, now);
  return health.ableSince! - now;
}

describe('probes', () => {
  it.each<[readonly ProbeResult[], string, boolean]>([
    [[], 'starting', false],
    [['starting'], 'starting', false],
    [['ready'], 'healthy', false],
    [['starting', 'ready'], 'healthy', false],
    [['refused'], 'unhealthy', false],
    [['failing'], 'unhealthy', false],
    [['silent'], 'unhealthy', true],
    [['starting', 'silent'], 'starting', false],
    [['starting', 'failing'], 'unhealthy', false],
    [['starting', 'refused'], 'unhealthy', false],
    [['silent', 'starting'], 'starting', false],
    [['ready', 'refused'], 'unhealthy', false],
    [['ready', 'starting'], 'starting', false],
    [['ready', 'silent'], 'healthy', false],
    [['ready', 'silent', 'silent'], 'unhealthy', true],
    [['ready', 'silent', 'ready', 'silent'], 'healthy', false],
    [['ready', 'failing', 'failing'], 'unhealthy', false],
    [['ready', 'failing', 'silent'], 'unhealthy', false],
    [['ready', 'silent', 'silent', 'failing'], 'unhealthy', false],
    [['ready', 'refused', 'silent'], 'unhealthy', false],
    [['ready', 'silent', 'silent', 'ready'], 'healthy', false],
    [['ready', 'refused', 'ready'], 'healthy', false],
    [['ready', 'draining'], 'draining', false],
    [['ready', 'draining', 'refused', 'silent', 'starting'], 'draining', false],
    [['ready', 'draining', 'ready'], 'healthy', false],
  ])('%j: %s, may fail open: %s', (results, state, mayFailOpen) => {
    const health = probed(...results);
    expect(health.stateAt(10)).toBe(state);
    expect(health.ableAt(10)).toBe(state === 'healthy');
    expect(health.mayFailOpenAt(10)).toBe(mayFailOpen);
  });

  it('take back only in a row, where that is asked for', () => {
    const settings = { readyProbes: 2 };
    expect(probedWith(settings, 'ready', 'refused', 'ready').stateAt(9)).toBe('unhealthy');
    expect(probedWith(settings, 'ready', 'refused', 'ready', 'silent', 'ready').stateAt(9)).toBe('unhealthy');
    expect(probedWith(settings, 'ready', 'refused', 'ready', 'ready').stateAt(9)).toBe('healthy');
    expect(probedWith(settings, 'starting', 'ready').stateAt(9)).toBe('healthy');
  });

  it('say since when the pod is able', () => {
    const health = probed('starting', 'ready', 'ready');
    expect(health.ableSince).toBe(1);
    health.probed('refused', 50);
    expect(health.ableSince).toBeUndefined();
    health.probed('ready', 60);
    expect(health.ableSince).toBe(60);
  });
});

describe('failed requests', () => {
  it('take the pod out when enough of them come in a row', () => {
    const health = probed('ready');
    expect(fail(health, 4, 100)).toEqual([false, false, false, false]);
    health.served(100);
    expect(fail(health, 5, 200)).toEqual([false, false, false, false, true]);
    expect(health.stateAt(200)).toBe('ejected');
    expect(health.mayFailOpenAt(200)).toBe(true);
    expect(fail(health, 9, 201)).not.toContain(true);
  });

  it('that are refused take it out at once, until a probe is ready', () => {
    const health = probed('ready');
    expect(fail(health, 2, 100, 'refused')).toEqual([true, false]);
    expect(health.stateAt(900_000)).toBe('unhealthy');
    expect(health.mayFailOpenAt(100)).toBe(false);
    health.probed('ready', 900_001);
    expect(health.stateAt(900_001)).toBe('healthy');
  });

  it('that are silent take it out until a probe is ready', () => {
    const health = probed('ready');
    expect(fail(health, 5, 100, 'silent').at(-1)).toBe(true);
    expect(health.stateAt(900_000)).toBe('unhealthy');
    expect(health.mayFailOpenAt(100)).toBe(true);
    health.probed('ready', 900_001);
    expect(health.stateAt(900_001)).toBe('healthy');
    expect(health.failed('silent', 900_002)).toBe(true);
  });

  it('eject if any of them was more than silent', () => {
    const health = probed('ready');
    health.failed('broken', 100);
    fail(health, 4, 100, 'silent');
    expect(health.stateAt(100)).toBe('ejected');
  });

  it('are forgotten when a probe takes the pod back', () => {
    const health = probed('ready');
    fail(health, 4, 100);
    health.probed('refused', 200);
    health.probed('ready', 300);
    expect(fail(health, 5, 400)).toEqual([false, false, false, false, true]);
  });

  it('say nothing about a pod that leaves or starts', () => {
    for (const health of [probed('ready', 'draining'), probed('starting'), probed()]) {
      const state = health.stateAt(100);
      expect([...fail(health, 9, 100), ...fail(health, 1, 100, 'refused')]).not.toContain(true);
      expect(health.stateAt(100)).toBe(state);
    }
  });
});

describe('an ejection', () => {
  it('ends by time alone', () => {
    const health = probed('ready');
    fail(health, 5, 100);
    health.probed('ready', 200);
    health.served(200);
    expect(health.stateAt(100 + baseEjectionMs - 1)).toBe('ejected');
    expect(health.stateAt(100 + baseEjectionMs)).toBe('healthy');
    expect(health.ableSince).toBe(100 + baseEjectionMs);
  });

  it('is followed by another after one failure, unless a request was served', () => {
    const health = probed('ready');
    fail(health, 5, 0);
    expect(health.failed('status', baseEjectionMs)).toBe(true);
    const again = health.ableSince!;
    health.served(again - 1);
    expect(health.failed('status', again)).toBe(true);
    const closed = health.ableSince!;
    health.served(closed);
    expect(fail(health, 5, closed)).toEqual([false, false, false, false, true]);
  });

  it('is followed by another after one silent failure too, whatever the probes say', () => {
    const health = probed('ready');
    fail(health, 5, 0);
    health.failed('silent', baseEjectionMs);
    health.probed('ready', baseEjectionMs + 1);
    expect(health.stateAt(baseEjectionMs + 1)).toBe('ejected');
  });

  it('doubles each time, up to the longest', () => {
    const health = probed('ready');
    const lengths: number[] = [];
    let now = 0;
    for (let i = 0; i < 9; i++) {
      lengths.push(ejectionMs(health, now));
      now += lengths.at(-1)!;
    }
    expect(lengths.map((ms) => ms / 1_000)).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    expect(maxEjectionMs).toBe(300_000);
  });

  it('is forgiven by a step for each base interval spent healthy', () => {
    const health = probed('ready');
    let now = 0;
    for (let i = 0; i < 3; i++) now += ejectionMs(health, now);
    now += 2 * baseEjectionMs + 1;
    expect(ejectionMs(health, now)).toBe(2 * baseEjectionMs);
    now += 2 * baseEjectionMs + 100 * baseEjectionMs;
    expect(ejectionMs(health, now)).toBe(baseEjectionMs);
  });

  it('is forgiven by time that was healthy until a probe failed', () => {
    const health = probed('ready');
    ejectionMs(health, 0);
    health.probed('refused', 2 * baseEjectionMs);
    health.probed('ready', 2 * baseEjectionMs);
    expect(ejectionMs(health, 2 * baseEjectionMs)).toBe(baseEjectionMs);
  });

  it('is not forgiven by time spent out', () => {
    const health = probed('ready');
    ejectionMs(health, 0);
    health.probed('refused', baseEjectionMs);
    health.probed('ready', 100 * baseEjectionMs);
    expect(ejectionMs(health, 100 * baseEjectionMs)).toBe(2 * baseEjectionMs);
  });

  it('goes on behind a refused probe', () => {
    const health = probed('ready');
    fail(health, 5, 100);
    health.probed('refused', 200);
    expect([health.stateAt(200), health.mayFailOpenAt(200)]).toEqual(['unhealthy', false]);
    health.probed('ready', 300);
    expect(health.stateAt(300)).toBe('ejected');
  });
});

describe('whatever happens', () => {
  const step = fc.record({
    after: fc.oneof(fc.nat(2_000), fc.nat(400_000)),
    event: fc.oneof(
      fc
        .constantFrom<ProbeResult>('ready', 'starting', 'draining', 'refused', 'silent', 'failing')
        .map((result) => ({ result })),
      fc.constantFrom<FailureKind>('refused', 'silent', 'broken', 'status').map((kind) => ({ kind })),
      fc.constant({}),
    ),
  });

  it('able is healthy, open is only for those that are out, and a ready probe and the longest ejection bring back everybody', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const health = new EndpointHealth();
        let now = 0;
        for (const { after, event } of steps) {
          now += after;
          const before = health.ableAt(now);
          if ('result' in event) health.probed(event.result, now);
          else if ('kind' in event) expect(health.failed(event.kind, now)).toBe(before && !health.ableAt(now));
          else health.served(now);
          const state = health.stateAt(now);
          expect(health.ableAt(now)).toBe(state === 'healthy');
          if (health.mayFailOpenAt(now)) expect(['unhealthy', 'ejected']).toContain(state);
          if (state === 'healthy') expect(health.ableSince).toBeLessThanOrEqual(now);
        }
        health.probed('ready', now);
        expect(health.ableAt(now + maxEjectionMs)).toBe(true);
      }),
    );
  });
});
