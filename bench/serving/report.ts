/** What does a run of the bench come to, as numbers? The content of results.json. */
import type { Bound } from './bound.ts';
import type { Limits } from './limits.ts';
import { median, type RunSummary, summarize } from './summary.ts';
import type { System } from './systems.ts';
import type { ComparedAnswer, Visit } from './visit.ts';

export interface PointReport extends RunSummary {
  /** Requests a second that were sent. */
  readonly rate: number;
  readonly atObjective: boolean;
}

export interface SystemReport {
  readonly name: string;
  readonly precision: System['precision'];
  readonly slots: number;
  readonly color: string;
  readonly streams: boolean;
  readonly startSeconds: number;
  /** Compared answers that equal those of the first float32 system; undefined for other precisions. */
  readonly equalAnswers: number | undefined;
  readonly saturation: RunSummary;
  /** Saturation of each round, requests a second: how far they are apart shows how quiet the machine was. */
  readonly saturationByRound: readonly number[];
  readonly mixed: RunSummary | undefined;
  readonly idle: RunSummary;
  readonly points: readonly PointReport[];
  readonly bound: Bound;
}

export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly processors: number;
    readonly threads: number;
    readonly limits: Limits;
  };
  readonly settings: {
    readonly generator: string;
    /** Mean over the compared questions, counted by the generator's tokenizer. */
    readonly promptTokens: number;
    readonly newTokens: number;
    readonly comparedAnswers: number;
    readonly rounds: number;
    readonly maxWaitingTime: number;
    readonly minutes: number;
  };
  readonly systems: readonly SystemReport[];
}

/** @param reference answers that a float32 system should give */
export function reportOf(
  system: System,
  visits: readonly Visit[],
  reference: readonly ComparedAnswer[] | undefined,
  bound: Bound,
): SystemReport {
  const { name, precision, slots, color } = system;
  const mixed = visits.flatMap((visit) => visit.mixed ?? []);
  const byRound = visits.map((visit) => summarize([visit.saturation]).requestsPerSecond);
  const rates = Map.groupBy(
    visits.flatMap((visit) => visit.points),
    ({ point }) => point.rate,
  );
  const points = [...rates].map(
    ([rate, measured]): PointReport => ({
      rate,
      atObjective: measured[0]!.point.atObjective,
      ...summarize(measured.map(({ run }) => run)),
    }),
  );
  return {
    name,
    precision,
    slots,
    color,
    streams: visits.every((visit) => visit.streams),
    startSeconds: median(visits.map((visit) => visit.startSeconds)),
    equalAnswers: precision === 'fp32' && reference !== undefined ? equalAnswers(visits, reference) : undefined,
    saturation: summarize(visits.map((visit) => visit.saturation)),
    saturationByRound: byRound,
    mixed: mixed.length === 0 ? undefined : summarize(mixed),
    idle: summarize(visits.map((visit) => visit.idle)),
    points: points.toSorted((a, b) => a.rate - b.rate),
    bound,
  };
}

/** How many questions every visit answered as the reference did. */
function equalAnswers(visits: readonly Visit[], reference: readonly ComparedAnswer[]): number {
  return reference.filter(({ result }, i) => visits.every((visit) => visit.compared[i]?.result === result)).length;
}
