/** Which pictures does a report have? Latency and throughput against the rate, both over time, and how latencies are distributed. */
import { OUTCOMES, type Outcome } from './outcome.ts';
import { barFigure, type Line, lineFigure } from './plot.ts';
import type { Report, StageResult } from './report.ts';

/** Apart for colour-blind eyes too (Tol, bright). */
const OUTCOME_COLORS: Readonly<Record<Outcome, string>> = {
  answered: '#4477aa',
  refused: '#ccbb44',
  broken: '#aa3377',
  failed: '#ee6677',
};

const QUANTILE_COLORS = { p50: '#66ccee', p95: '#4477aa', p99: '#aa3377' } as const;

const OBJECTIVE_COLOR = '#888888';

export function figuresOf(report: Report): string[] {
  const rates = report.stages.length > 1 ? againstRate(report) : [];
  return [...rates, latencyOverTime(report), requestsOverTime(report), distribution(report)];
}

function againstRate({ stages, settings }: Report): string[] {
  const objective = settings.objectiveMs;
  const rates = stages.map(({ rate }) => rate);
  const line = (name: string, color: string, of: (stage: StageResult) => number | null): Line => ({
    name,
    color,
    points: stages.map((stage) => [stage.rate, of(stage)]),
  });
  return [
    lineFigure({
      title: 'Latency of answers against the rate',
      x: 'requests a second',
      y: 'milliseconds',
      logY: true,
      lines: [
        line('mean', '#228833', ({ latency }) => latency.mean),
        line('p50', QUANTILE_COLORS.p50, ({ latency }) => latency.p50),
        line('p99', QUANTILE_COLORS.p99, ({ latency }) => latency.p99),
        level('objective', objective, Math.min(...rates), Math.max(...rates)),
      ],
    }),
    lineFigure({
      title: 'Answers a second against the rate',
      x: 'requests a second',
      y: 'answers a second',
      lines: [
        line('answers', OUTCOME_COLORS.answered, ({ throughput }) => throughput),
        { ...line('requests', OBJECTIVE_COLOR, ({ rate }) => rate), dashed: true },
      ],
    }),
  ];
}

function latencyOverTime({ windows, settings }: Report): string {
  const { rows, lengthS } = windows;
  const last = (rows.at(-1)?.atS ?? 0) + lengthS;
  return lineFigure({
    title: `Latency of answers by when they were asked, of ${lengthS} s each`,
    x: 'seconds from the start',
    y: 'milliseconds',
    logY: true,
    lines: [
      ...(['p50', 'p95', 'p99'] as const).map((quantile) => ({
        name: quantile,
        color: QUANTILE_COLORS[quantile],
        points: rows.map((row) => [row.atS + lengthS / 2, row[quantile]] as const),
      })),
      level('objective', settings.objectiveMs, 0, last),
    ],
  });
}

function requestsOverTime({ windows }: Report): string {
  const { rows, lengthS } = windows;
  return barFigure({
    title: 'Requests a second by what became of them',
    x: 'seconds from the start',
    y: 'requests a second',
    starts: rows.map(({ atS }) => atS),
    width: lengthS,
    stacks: OUTCOMES.map((outcome) => ({
      name: outcome,
      color: OUTCOME_COLORS[outcome],
      heights: rows.map(({ outcomes }) => outcomes[outcome] / lengthS),
    })),
  });
}

function distribution({ stages, settings }: Report): string {
  const drawn = stages.filter(({ latency }) => latency.count > 0);
  return lineFigure({
    title: 'How many answers came within a time',
    x: 'milliseconds',
    y: 'percent of the answers',
    logX: true,
    lines: [
      ...drawn.map(({ name, latency }, index) => ({
        name,
        // From blue to red, as the rate grows.
        color: `hsl(${Math.round(220 - (220 * index) / Math.max(1, drawn.length - 1))} 65% 50%)`,
        points: latency.distribution.map(([percent, ms]) => [ms, percent] as const),
      })),
      {
        name: 'objective',
        color: OBJECTIVE_COLOR,
        dashed: true,
        points: [
          [settings.objectiveMs, 0],
          [settings.objectiveMs, 100],
        ],
      },
    ],
  });
}

function level(name: string, value: number, from: number, to: number): Line {
  return {
    name,
    color: OBJECTIVE_COLOR,
    dashed: true,
    points: [
      [from, value],
      [to, value],
    ],
  };
}
