/** How do the numbers read? results.md. */
import { FULL, isNear, OBJECTIVE_SHARE } from './plan.ts';
import type { PointReport, Report, SystemReport } from './report.ts';
import { median } from './summary.ts';

type Cell = string | number;

export function tablesOf(report: Report): string {
  const { machine, settings, systems } = report;
  const { limits } = machine;
  const share = `${OBJECTIVE_SHARE * 100}%`;
  return [
    `Question and two passages in a prompt of ${settings.promptTokens.toFixed(0)} tokens at the mean, ${settings.newTokens} new tokens, ` +
      `${settings.generator} with random weights; ${machine.threads} threads of ${machine.cpu}, the load from the same machine. ` +
      `${settings.rounds} rounds in turns, ${settings.minutes.toFixed(0)} minutes.`,
    '',
    '**Saturation**: twice as many clients as slots, each asking on. CPU is that of the server, all its threads and processes. The bound is ' +
      "the machine's: products at the rate of a good library, weights and cache read once a step (bench/serving/bound.ts).",
    '',
    saturationTable(systems),
    '',
    `**Latency**, milliseconds: one client, and open-loop Poisson arrivals at ${share} of the system's own saturation. First token: streamed; a ` +
      'server that cannot stream gives its first token with its last.',
    '',
    latencyTable(systems),
    '',
    ...section(
      '**The same rates for all**: p50 / p99 in milliseconds; beyond what a system bears: no number.',
      commonRateTable(systems),
    ),
    ...section(
      '**Answers of different lengths** (8 to 128 new tokens, every length as likely; saturation):',
      mixedTable(systems),
    ),
    `* Limits measured in the same run: ${giga(limits.bandwidth)} GB/s; matrix products ${giga(limits.fp32)} GFLOP/s in float32, ` +
      `${giga(limits.int8)} GOP/s in 8 bits (oneDNN); PyTorch's ordinary float32 product reaches ${giga(limits.pytorch)} here.`,
    ...equalityLines(report),
    `* python-queued waits ${settings.maxWaitingTime} s for company from the first question it takes.`,
    `* Processors that other programs kept busy meanwhile: ${takenText(systems)} of ${machine.processors}.`,
    `* Requests left at most ${worstLag(systems).toFixed(0)} ms late (p99 of the worst point).`,
    '',
  ].join('\n');
}

function saturationTable(systems: readonly SystemReport[]): string {
  const rateOf = (name: string) => systems.find((system) => system.name === name)?.saturation.requestsPerSecond;
  const queued = rateOf('python-queued');
  return table(
    [
      'system',
      'requests/s',
      'tokens/s',
      'rounds',
      'of python-queued',
      'of our baseline, same weights',
      'CPU s per request',
      'bound, requests/s',
      'of bound',
    ],
    systems.map(({ name, precision, saturation, saturationByRound, bound }) => {
      const baseline = rateOf(`ragscale-baseline-${precision}`);
      return [
        name,
        saturation.requestsPerSecond.toFixed(2),
        saturation.tokensPerSecond.toFixed(0),
        saturationByRound.map((rate) => rate.toFixed(2)).join(', '),
        times(saturation.requestsPerSecond, queued),
        times(saturation.requestsPerSecond, baseline),
        saturation.cpuSecondsPerRequest.toFixed(3),
        bound.requestsPerSecond.toFixed(2),
        `${((100 * saturation.requestsPerSecond) / bound.requestsPerSecond).toFixed(0)}%`,
      ];
    }),
  );
}

function latencyTable(systems: readonly SystemReport[]): string {
  return table(
    [
      'system',
      'alone p50',
      'first token',
      'loaded at, requests/s',
      'n',
      'p50',
      'p95',
      'p99',
      'p99 / alone',
      'first token p50',
      'p99',
      'failed',
    ],
    systems.map(({ name, idle, points }) => {
      const alone = [name, milliseconds(idle.latency.p50), milliseconds(idle.firstToken.p50)];
      const point = points.find(({ atObjective }) => atObjective);
      if (point === undefined) return [...alone, ...Array<string>(9).fill('')];
      const { latency, firstToken } = point;
      return [
        ...alone,
        point.rate.toFixed(2),
        point.requests,
        ...[latency.p50, latency.p95, latency.p99].map(milliseconds),
        times(latency.p99, idle.latency.p50),
        milliseconds(firstToken.p50),
        milliseconds(firstToken.p99),
        point.failures,
      ];
    }),
  );
}

function section(heading: string, content: string | undefined): string[] {
  return content === undefined ? [] : [heading, '', content, ''];
}

function commonRateTable(systems: readonly SystemReport[]): string | undefined {
  const rates = FULL.commonRates.filter((rate) =>
    systems.some(({ points }) => points.some((point) => isNear(point.rate, rate))),
  );
  if (rates.length === 0) return undefined;
  const cell = (point: PointReport | undefined) =>
    point === undefined ? '' : `${milliseconds(point.latency.p50)} / ${milliseconds(point.latency.p99)}`;
  return table(
    ['system', ...rates.map((rate) => `${rate} requests/s`)],
    systems.map(({ name, points }) => [
      name,
      ...rates.map((rate) => cell(points.find((point) => isNear(point.rate, rate)))),
    ]),
  );
}

function mixedTable(systems: readonly SystemReport[]): string | undefined {
  const measured = systems.filter(({ mixed }) => mixed !== undefined);
  if (measured.length === 0) return undefined;
  const queued = measured.find(({ name }) => name === 'python-queued')?.mixed?.tokensPerSecond;
  return table(
    ['system', 'requests/s', 'tokens/s', 'tokens/s of equal lengths', 'tokens/s of python-queued'],
    measured.map(({ name, mixed, saturation }) => [
      name,
      mixed!.requestsPerSecond.toFixed(2),
      mixed!.tokensPerSecond.toFixed(0),
      `${((100 * mixed!.tokensPerSecond) / saturation.tokensPerSecond).toFixed(0)}%`,
      times(mixed!.tokensPerSecond, queued),
    ]),
  );
}

function equalityLines({ systems, settings }: Report): string[] {
  const compared = systems.filter(({ equalAnswers }) => equalAnswers !== undefined);
  if (compared.length < 2) return [];
  const counts = compared.map(({ name, equalAnswers }) => `${name} ${equalAnswers}`).join(', ');
  return [
    `* Float32 systems compute the same: of ${settings.comparedAnswers} questions asked of all, answers equal to ${compared[0]!.name}'s: ${counts}.`,
  ];
}

/** Median and highest of all phases of all systems. */
function takenText(systems: readonly SystemReport[]): string {
  const all = systems.flatMap(({ saturation, idle, points }) =>
    [saturation, idle, ...points].map((summary) => summary.processorsTaken),
  );
  return `${median(all).toFixed(2)} at the median, ${Math.max(...all).toFixed(2)} at worst`;
}

function worstLag(systems: readonly SystemReport[]): number {
  const lags = systems.flatMap(({ points }) => points.map((point) => point.lagP99));
  return Math.max(...lags.filter((lag) => !Number.isNaN(lag)));
}

function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function times(value: number, reference: number | undefined): string {
  return reference === undefined || Number.isNaN(value) ? '' : `${(value / reference).toFixed(2)} x`;
}

/** Nothing, where no request fell into the window. */
function milliseconds(value: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(0);
}

function giga(value: number): string {
  return (value / 1e9).toFixed(0);
}
