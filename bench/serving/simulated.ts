/**
 * What latency does the schedule itself cause, on a machine whose steps always take what they took when measured alone? The real scheduler
 * in virtual time: runs last as long as bench:decode and bench:prefill found, so that neither neighbours nor other threads have a part in it.
 *
 *     npm run bench:simulated        writes simulated.md here
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULT_BATCHING, GREEDY } from '@ragscale/inference/engine-api';
import { GenerationState } from '@ragscale/inference/generation-state';
import type { Candidates } from '@ragscale/inference/sampling';
import { Scheduler, type Verbs } from '@ragscale/inference/scheduling/scheduler';
import type { EmbedTask, GenerateTask, Outcome } from '@ragscale/inference/scheduling/tasks';
import { randomIntegers } from '@ragscale/model-builder/random-values';
import { poissonArrivals } from './schedule.ts';
import { quantile } from './summary.ts';
import { EQUAL_TOKENS } from './workload.ts';

const PROMPT_TOKENS = 80;
/** One run of the embedded embedder with one question: a stage of the pod under this bench. */
const EMBED_MS = 5;
const REQUESTS = 3_000;
const LOAD = 0.7;
const PRECISIONS = ['fp32', 'w8a8', 'w8'] as const;
/** bench:decode measured up to 16 rows; beyond, the line goes on. */
const SLOTS = [8, 12, 16, 24] as const;

/** Points of (size, milliseconds), ascending; straight lines between them and beyond the last two. */
type Curve = readonly (readonly [number, number])[];

function at(curve: Curve, size: number): number {
  const next = curve.findIndex(([known]) => known >= size);
  const place = Math.max(1, next < 0 ? curve.length - 1 : next);
  const [[x0, y0], [x1, y1]] = [curve[place - 1]!, curve[place]!];
  return y0 + ((size - x0) * (y1 - y0)) / (x1 - x0);
}

interface Costs {
  /** By rows. */
  readonly decode: Curve;
  /** By tokens. */
  readonly prefill: Curve;
}

function costsOf(precision: string): Costs {
  const read = (file: string) => JSON.parse(readFileSync(path.join(import.meta.dirname, '..', file), 'utf8'));
  const steps = read('decode/results.json').results as { precision: string; rows: number; engineMs: number }[];
  const prefills = read('prefill/results.json').rows as { precision: string; ms: Record<string, number> }[];
  const { ms } = prefills.find((row) => row.precision === precision)!;
  return {
    decode: steps.filter((step) => step.precision === precision).map(({ rows, engineMs }) => [rows, engineMs]),
    prefill: [16, 32, 64, 80, 128, 256].map((tokens) => [tokens, ms[tokens]!]),
  };
}

interface Simulation {
  /** Milliseconds of each answer, from its arrival. */
  readonly latencies: number[];
  readonly elapsedMs: number;
}

/** @param arrivals milliseconds, ascending; @param clients instead of arrivals: as many that ask on and on, `REQUESTS` in all */
async function simulate(costs: Costs, slots: number, arrivals: readonly number[], clients = 0): Promise<Simulation> {
  let now = 0;
  const spend = (ms: number) => {
    now += ms;
  };
  const row: Candidates = { ids: BigInt64Array.of(7n), values: Float32Array.of(1) };
  const verbs: Verbs = {
    embed: async (texts) => {
      spend(EMBED_MS);
      return texts.map(() => new Float32Array(1));
    },
    prefill: async (_slot, tokens) => {
      spend(at(costs.prefill, tokens.length));
      return row;
    },
    prefillTogether: async (_slot, prompts) => {
      spend(
        at(
          costs.prefill,
          prompts.reduce((sum, { length }) => sum + length, 0),
        ),
      );
      return prompts.map(() => row);
    },
    decode: async (rows) => {
      spend(at(costs.decode, rows.length));
      return rows.map(() => row);
    },
    move: () => {},
  };
  const latencies: number[] = [];
  const arrived = new Map<number, number>();
  let [next, asked] = [0, 0];
  const ask = () => {
    const id = asked++;
    arrived.set(id, now);
    scheduler.embed(embedTask(id, now));
  };
  const scheduler: Scheduler = new Scheduler(verbs, {
    slots,
    batching: { ...DEFAULT_BATCHING, sharePrefixes: false },
    now: () => now,
    onOutcome: (outcome: Outcome) => {
      if (outcome.kind === 'embedded') scheduler.generate(generateTask(outcome.task.id, now));
      if (outcome.kind !== 'generated') return;
      latencies.push(now - arrived.get(outcome.task.id)!);
      if (clients > 0 && asked < REQUESTS) ask();
    },
  });
  for (let i = 0; i < clients; i++) ask();
  for (;;) {
    for (; next < arrivals.length && arrivals[next]! <= now; next++) ask();
    if ((await scheduler.run()) !== undefined) continue;
    if (next >= arrivals.length) return { latencies, elapsedMs: now };
    now = arrivals[next]!;
  }
}

function embedTask(id: number, now: number): EmbedTask {
  const texts = [{ index: 0, ids: [1, 2, 3] }];
  return { id, order: id, arrivedAt: now, deadlineAt: Number.POSITIVE_INFINITY, texts };
}

function generateTask(id: number, now: number): GenerateTask {
  const state = new GenerationState({
    promptIds: new Array<number>(PROMPT_TOKENS).fill(5),
    settings: { ...GREEDY, maxTokens: EQUAL_TOKENS, ignoreEos: true },
    eos: [],
    vocabulary: 10,
    decode: () => 'x',
  });
  return {
    id,
    order: id,
    arrivedAt: now,
    deadlineAt: Number.POSITIVE_INFINITY,
    state,
    passagesUsed: 0,
    streamed: false,
  };
}

const rows: string[] = [];
const systems = PRECISIONS.flatMap((precision) => SLOTS.map((slots) => ({ precision, slots })));
for (const { precision, slots } of systems) {
  const costs = costsOf(precision);
  const alone = (await simulate(costs, slots, [0])).latencies[0]!;
  const oneByOne = 1000 / alone;
  const full = await simulate(costs, slots, [], 2 * slots);
  const saturation = (1000 * full.latencies.length) / full.elapsedMs;
  const draw = randomIntegers(1);
  const seconds = REQUESTS / (LOAD * saturation);
  const arrivals = poissonArrivals(LOAD * saturation, seconds, () => draw(2 ** 32) / 2 ** 32);
  const { latencies } = await simulate(costs, slots, arrivals);
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  const cells = [precision, slots, alone.toFixed(0), saturation.toFixed(1), `${(saturation / oneByOne).toFixed(2)} x`];
  rows.push(`| ${[...cells, p50.toFixed(0), p99.toFixed(0), `${(p99 / alone).toFixed(2)} x`].join(' | ')} |`);
}
const report = [
  `The real scheduler in virtual time: ${PROMPT_TOKENS} prompt and ${EQUAL_TOKENS} new tokens, runs as long as bench:decode and bench:prefill measured; ${REQUESTS} requests.`,
  '',
  '| weights | slots | alone, ms | saturation, requests/s | of one by one | at 70%: p50, ms | p99 | p99 / alone |',
  '|---|---|---|---|---|---|---|---|',
  ...rows,
  '',
].join('\n');
writeFileSync(path.join(import.meta.dirname, 'simulated.md'), report);
process.stdout.write(report);
