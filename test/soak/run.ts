/** How does a soak go? Load and faults side by side, everything watched; then all has to come to rest. */
import { setTimeout as delay } from 'node:timers/promises';
import { uniform } from '../../bench/lib/uniform.ts';
import { poissonArrivals } from '../../bench/serving/schedule.ts';
import { carryOut, type FaultRecord } from './chaos.ts';
import { FAULT_KINDS } from './faults.ts';
import type { SoakOptions } from './options.ts';
import type { Report } from './report.ts';
import { faultSchedule } from './schedule.ts';
import { type SoakRecord, sendLoad } from './soak-load.ts';
import type { System } from './system.ts';
import { verdictOf } from './verdict.ts';
import { Watch } from './watch.ts';

/** Long enough for a pod that was killed often to be started again: Kubernetes waits up to five minutes. */
const REST_MS = 330_000;
const LOOK_MS = 1_000;

/** @param say a line of progress @param signal ends it early; what has begun is undone first */
export async function runSoak(
  system: System,
  options: SoakOptions,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Report> {
  const { minutes, seed, rate } = options;
  const at = new Date().toISOString();
  const kinds = FAULT_KINDS.filter((kind) => !system.impossible.has(kind));
  const schedule = faultSchedule({ minutes, kinds }, uniform(seed + 2));
  const arrivals = poissonArrivals(rate, minutes * 60, uniform(seed));
  const records: SoakRecord[] = [];
  const faults: FaultRecord[] = [];
  const deaths: { at: number; overAt: number }[] = [];
  const watch = new Watch(system);
  const start = performance.now();
  const over = new AbortController();
  const watching = watch.run(start, Math.min(5_000, minutes * 500), over.signal);
  const progress = setInterval(() => say(progressLine(start, records, arrivals.length)), 30_000);
  const chaos = carryOut(schedule, {
    system,
    start,
    signal,
    onProxyKilled: () => {
      const death = { at: performance.now(), overAt: Number.POSITIVE_INFINITY };
      deaths.push(death);
      void whenProxiesAreBack(system, signal).then(() => {
        death.overAt = performance.now();
      });
    },
    onFault: (record) => {
      faults.push(record);
      const { kind, victim, leftOut, error } = record;
      say(`${kind}${victim && ` of ${victim}`}${leftOut ? ` left out: ${leftOut}` : ''}${error ? `: ${error}` : ''}`);
    },
  });
  try {
    await sendLoad({
      url: system.url,
      rate,
      minutes,
      seed,
      deaths,
      signal,
      onRecord: (record) => records.push(record),
    });
    await chaos;
  } finally {
    clearInterval(progress);
    over.abort();
    await watching;
  }
  const unrest = await atRest(system, watch, signal);
  const bad = records.filter(({ outcome }) => outcome === 'failed' || outcome === 'broken');
  const ids = new Set(bad.map(({ requestId }) => requestId).filter((id) => id !== ''));
  const lines = ids.size === 0 ? [] : await system.linesAbout(ids);
  const findings = {
    planned: arrivals.length,
    minutes,
    records: records.toSorted((a, b) => a.dueMs - b.dueMs),
    faults: faults.toSorted((a, b) => a.fromMs - b.fromMs),
    lives: watch.lives,
    replicas: watch.replicas,
    unrest,
  };
  return {
    at,
    options,
    system: system.what,
    schedule,
    impossible: [...system.impossible],
    lines,
    ...findings,
    verdict: verdictOf(findings),
  };
}

/** Looked at for the first time when the process has had the time to die. */
async function whenProxiesAreBack(system: System, signal: AbortSignal): Promise<void> {
  do await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted && !(await system.areProxiesReady().catch(() => false)));
}

/** @returns what is still going on, or missing, when it has had time enough */
async function atRest(system: System, watch: Watch, signal: AbortSignal): Promise<string[]> {
  const giveUpAt = performance.now() + REST_MS;
  for (;;) {
    const isWhole = await system.isWhole().catch(() => false);
    const busy = await watch.busy().catch((error: Error) => [error.message]);
    const unrest = [...(isWhole ? [] : ['not every pod is able again']), ...busy];
    if (unrest.length === 0 || performance.now() > giveUpAt || signal.aborted) return unrest;
    await delay(LOOK_MS);
  }
}

function progressLine(start: number, records: readonly SoakRecord[], planned: number): string {
  const count = (outcome: SoakRecord['outcome']) => records.filter((record) => record.outcome === outcome).length;
  const minutes = ((performance.now() - start) / 60_000).toFixed(1);
  return `${minutes} min: ${records.length} of ${planned} requests; ${count('refused')} refused, ${count('broken')} broken, ${count('failed')} failed`;
}
