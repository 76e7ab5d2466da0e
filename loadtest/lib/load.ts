/**
 * How does k6 send requests at times that were decided beforehand, whatever becomes of those before? k6's own arrival rates are even. So there are
 * as many virtual users as requests can be under way; each takes the next request of the plan, sleeps until it is due, and sends it.
 */

import { sleep } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import type { Options } from 'k6/options';
import { checkReachable, record, send } from './ask.ts';
import { variationOf } from './dispersion.ts';
import { filesOf } from './ending.ts';
import { METRICS, TREND_STATS, taggedMetrics } from './measures.ts';
import { mostAtOnce, type Plan, planOf, type Size, type StageArrivals, stageOf } from './plan.ts';
import { parseQuestions } from './questions.ts';
import { seededRandom } from './random.ts';
import { readOwn, readText } from './read-text.ts';
import type { Outline } from './report.ts';
import { readSettings, type Settings } from './settings.ts';
import type { SummaryData } from './summary.ts';
import { announcement } from './terminal.ts';
import { windowsOf } from './windows.ts';

/** Virtual users have started by then. */
const LEAD_MS = 1_000;

/** Virtual users beyond what the plan can need. */
const SPARE = 10;

/** Half a megabyte each. Servers refuse long before so many wait; if not, the report says for how many requests none was free. */
const MOST_VIRTUAL_USERS = 1_000;

export interface LoadTest {
  readonly options: Options;
  readonly setup: () => void;
  readonly ask: () => void;
  readonly handleSummary: (data: SummaryData) => Record<string, string>;
}

export interface LoadParts {
  /** Names the report. */
  readonly test: string;
  /** The load, stage by stage. @param random draws from [0, 1), its own for each number that it is asked with */
  readonly stages: (settings: Settings, random: (stream: number) => () => number) => readonly StageArrivals[];
  /** One stage begins when the one before has no more requests, with no `PAUSE`. */
  readonly pauses?: boolean;
  /** Every request must be answered, or the run has failed. */
  readonly allAnswered?: boolean;
}

/** What a script of k6 exports. */
export function loadTest({ test, stages, pauses = true, allAnswered = false }: LoadParts): LoadTest {
  const settings = readSettings(__ENV, test);
  // Made once, by the first virtual user; the others read it.
  let made: Plan | undefined;
  const plan = (): Plan => {
    const parts = () => stages(settings, (stream) => seededRandom(settings.seed, stream));
    made ??= planOf(parts(), pauses ? settings.pauseMs : 0);
    return made;
  };
  const [outline] = new SharedArray('outline', () => [outlineOf(plan(), settings)]) as unknown as [Outline];
  const dueMs = new SharedArray('due', () => plan().dueMs as number[]);
  const sizes = new SharedArray('sizes', () => plan().sizes as Size[]);
  const questions = new SharedArray('questions', () => parseQuestions(questionsText(settings)));
  const windows = windowsOf(outline.durationMs);
  const firstQuestion = Math.floor(seededRandom(settings.seed, 1)() * questions.length);

  return {
    // k6 reads them once, before there are virtual users; a list of hundreds for each of those would be most of its memory.
    options: __VU === 0 ? optionsOf(settings, outline, windows.count, allAnswered) : {},

    setup: () => {
      console.log(announcement(settings, outline));
      checkReachable(settings);
    },

    ask: () => {
      const index = exec.scenario.iterationInTest;
      const start = exec.scenario.startTime + LEAD_MS;
      const due = dueMs[index]!;
      const wait = start + due - Date.now();
      if (wait > 0) sleep(wait / 1000);
      const stage = stageOf(outline.stages, index);
      const at = outline.stages[stage]!;
      const lagMs = Math.max(0, Date.now() - start - due);
      const inFlight = index + 1 - exec.instance.iterationsCompleted;
      const sent = send(settings, questions[(firstQuestion + index) % questions.length]!, sizes[index] ?? {});
      record(settings, sent, {
        stage,
        window: Math.floor(due / windows.lengthMs),
        lagMs,
        late: wait < 0,
        inFlight,
        carriedOver: pauses && stage > 0 && index === at.first ? inFlight - 1 : undefined,
        elapsedMs: Date.now() - start - at.startMs,
      });
    },

    handleSummary: (data) => filesOf({ test, settings, outline, windows, data, now: new Date() }),
  };
}

function questionsText({ questionsFile }: Settings): string {
  if (questionsFile !== undefined) return readText('QUESTIONS', questionsFile);
  return readOwn(import.meta.resolve('../questions.txt'));
}

function optionsOf(settings: Settings, outline: Outline, windows: number, allAnswered: boolean): Options {
  const none = ['count==0'];
  const unwanted = allAnswered ? ['refused', 'broken', 'failed'] : ['failed'];
  return {
    scenarios: {
      load: {
        executor: 'shared-iterations',
        exec: 'ask',
        vus: outline.virtualUsers,
        iterations: outline.requests,
        maxDuration: `${Math.ceil((LEAD_MS + outline.durationMs + settings.timeoutMs) / 1000) + 10}s`,
        gracefulStop: '0s',
      },
    },
    setupTimeout: `${Math.ceil(settings.timeoutMs / 1000) + 10}s`,
    thresholds: {
      ...Object.fromEntries(taggedMetrics(outline.stages.length, windows).map((name) => [name, []])),
      ...Object.fromEntries(unwanted.map((outcome) => [`${METRICS.outcomes}{outcome:${outcome}}`, none])),
      // That the load was the one that was planned.
      [METRICS.lag]: [`p(99)<${settings.lagMs}`],
      [METRICS.late]: none,
      dropped_iterations: none,
    },
    summaryTrendStats: [...TREND_STATS],
    noConnectionReuse: !settings.keepsConnections,
    userAgent: 'ragscale-loadtest',
  };
}

function outlineOf({ stages, dueMs, durationMs }: Plan, settings: Settings): Outline {
  const requests = dueMs.length;
  const busy = Math.min(mostAtOnce(dueMs, settings.timeoutMs) + SPARE, MOST_VIRTUAL_USERS);
  return {
    stages,
    requests,
    durationMs,
    virtualUsers: Math.min(requests, settings.virtualUsers ?? busy),
    variation: variationOf(dueMs, stages),
  };
}
