/** What was asked for with `-e NAME=value`? Read once, before anything is sent; every wrong value is named. */

import type { Extent } from './arrivals.ts';

export interface Settings {
  /** Where questions go, without a path. */
  readonly target: string;
  /** What the report calls the system. */
  readonly name: string;
  /** Requests a second, one stage for each. */
  readonly rates: readonly number[];
  /** Of each stage. */
  readonly requests: number;
  /** Length of a stage, or of the whole load; undefined: as the script says. */
  readonly durationMs: number | undefined;
  /** Between two stages. */
  readonly pauseMs: number;
  readonly seed: number;
  readonly streams: boolean;
  /** Of an answer; undefined: what the row of a trace says, or the server's own. */
  readonly maxTokens: number | undefined;
  /** Goes on to exactly that many tokens, whatever the model says. */
  readonly ignoresEnd: boolean;
  /** Questions are lengthened to what the row of a trace says, up to this many tokens. */
  readonly questionTokens: number;
  /** Within which an answer is good. */
  readonly objectiveMs: number;
  /** How long k6 waits for an answer. */
  readonly timeoutMs: number;
  /** Deadline that each request brings; undefined: the server's own. */
  readonly deadlineMs: number | undefined;
  /** How late 99 of 100 requests may leave, in milliseconds. */
  readonly lagMs: number;
  /** Virtual users; undefined: as many as could ever be busy, up to a thousand. */
  readonly virtualUsers: number | undefined;
  /** Each virtual user keeps its connection; otherwise every request has one of its own. */
  readonly keepsConnections: boolean;
  readonly apiKey: string | undefined;
  readonly variant: string | undefined;
  /** Files of the report, without their endings; undefined: none are written. */
  readonly out: string | undefined;
  readonly questionsFile: string | undefined;
  readonly traceFile: string | undefined;
  /** Requests a second before a spike, or where a ramp begins. */
  readonly from: number;
  /** Requests a second in a spike, or where a ramp ends. */
  readonly to: number;
}

/** The two systems that the first measurements of this kind compared, by the names that those had. */
const TARGETS: Readonly<Record<string, string>> = {
  original: 'http://localhost:8000',
  load_balancer_round_robin: 'http://localhost:9000',
};

const LONGEST_MS = 24 * 3_600_000;

/** @param test names the report @throws Error that says which variables are wrong, and what to write */
export function readSettings(env: Readonly<Record<string, string | undefined>>, test: string): Settings {
  const wrong: string[] = [];
  const read = <Value>(name: string, fallback: Value, parse: (text: string) => Value | undefined, wanted: string) => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value === undefined) wrong.push(`${name}=${text}: ${wanted} is expected`);
    return value ?? fallback;
  };
  const number = (name: string, fallback: number, min: number, max: number) =>
    read(name, fallback, (text) => numberIn(text, min, max), `a number from ${min} to ${max}`);
  const whole = (name: string, fallback: number, min: number, max: number) =>
    read(name, fallback, (text) => wholeIn(text, min, max), `a whole number from ${min} to ${max}`);
  const time = <Fallback extends number | undefined>(name: string, fallback: Fallback): number | Fallback =>
    read<number | Fallback>(name, fallback, durationOf, 'a time such as 500ms, 2s or 1.5m');
  const flag = (name: string) =>
    read(name, false, (text) => ({ 1: true, true: true, 0: false, false: false })[text], '1 or 0');
  const text = (name: string) => read<string | undefined>(name, undefined, (given) => given, 'a text');

  const target = read(
    'TARGET',
    TARGETS.load_balancer_round_robin!,
    targetOf,
    `${Object.keys(TARGETS).join(', ')} or a URL`,
  );
  const minutes = read<number | undefined>(
    'MINUTES',
    undefined,
    (given) => numberIn(given, 0.01, 1_440),
    'a number of minutes',
  );
  const settings: Settings = {
    target,
    name: text('NAME') ?? target.replace(/^https?:\/\//, ''),
    rates: read('RATES', [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60], ratesOf, 'rates such as 5,10,20'),
    requests: whole('REQUESTS', 1_000, 1, 1_000_000),
    durationMs: minutes === undefined ? undefined : minutes * 60_000,
    pauseMs: time('PAUSE', 15_000),
    seed: whole('SEED', 42, 0, 2 ** 31 - 1),
    streams: flag('STREAM'),
    maxTokens: read<number | undefined>(
      'MAX_TOKENS',
      undefined,
      (given) => wholeIn(given, 1, 100_000),
      'a whole number from 1',
    ),
    ignoresEnd: flag('IGNORE_EOS'),
    questionTokens: whole('QUESTION_TOKENS', 128, 0, 100_000),
    objectiveMs: time('OBJECTIVE', 2_000),
    timeoutMs: time('TIMEOUT', 65_000),
    deadlineMs: time('DEADLINE', undefined),
    lagMs: number('LAG', 50, 0.1, 60_000),
    virtualUsers: read<number | undefined>(
      'VUS',
      undefined,
      (given) => wholeIn(given, 1, 100_000),
      'a whole number from 1',
    ),
    keepsConnections: flag('KEEP_CONNECTIONS'),
    apiKey: text('API_KEY'),
    variant: text('VARIANT'),
    out: outOf(env.OUT, test),
    questionsFile: text('QUESTIONS'),
    traceFile: text('TRACE'),
    from: number('FROM', 5, 0, 10_000),
    to: number('TO', 60, 0, 10_000),
  };
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return settings;
}

function outOf(given: string | undefined, test: string): string | undefined {
  if (given === 'none') return undefined;
  return given === undefined || given === '' ? `ragscale-${test}` : given.replace(/\.(json|html)$/, '');
}

function targetOf(text: string): string | undefined {
  const url = TARGETS[text] ?? text;
  return /^https?:\/\/[^\s/]+$/.test(url.replace(/\/+$/, '')) ? url.replace(/\/+$/, '') : undefined;
}

function ratesOf(text: string): readonly number[] | undefined {
  const rates = text.split(',').map((part) => numberIn(part.trim(), 0.01, 100_000));
  return rates.every((rate) => rate !== undefined) ? rates : undefined;
}

function numberIn(text: string, min: number, max: number): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && value >= min && value <= max ? value : undefined;
}

function wholeIn(text: string, min: number, max: number): number | undefined {
  const value = numberIn(text, min, max);
  return Number.isInteger(value) ? value : undefined;
}

function durationOf(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (parts === null) return undefined;
  const ms = Number(parts[1]) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[parts[2] as 'ms' | 's' | 'm' | 'h'];
  return ms <= LONGEST_MS ? ms : undefined;
}

/** How much there is of a stage. */
export function extentOf({ durationMs, requests }: Settings): Extent {
  return durationMs === undefined ? { requests } : { durationMs };
}
