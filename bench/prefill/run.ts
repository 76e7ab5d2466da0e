/**
 * What does it cost to read a prompt: alone, together with others, behind a beginning that is shared; in each precision, with what the
 * precision costs in quality.
 *
 *     npm run bench:prefill [-- --quick] [-- --threads N]        writes results.json and .md here
 *
 * Times are of OPT-125m with random weights, medians of interleaved rounds; quality is of the trained checkpoint in models/checkpoints.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Decoder } from '@ragscale/inference/decoder';
import type { Precision } from '@ragscale/inference/manifest';
import { loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';
import { syntheticModel } from '../lib/synthetic-model.ts';
import { measureQuality, type Quality } from './quality.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, threads: { type: 'string', default: '2' } },
});
const threads = Number(flags.threads);
const rounds = flags.quick ? 3 : 15;
const PRECISIONS: readonly Precision[] = ['fp32', 'w8a8', 'w8', 'w4'];
const WANTED = { candidates: 1, logits: false };

/** A way of computing one prompt of 80 tokens or several; `prompts` go through the run together. */
interface Way {
  readonly name: string;
  readonly prompts: number;
  readonly run: (decoder: Decoder) => Promise<unknown>;
}

const tokens = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => 10 + ((seed * 7919 + i * 104729) % 50_000));
const alone = (count: number): Way => ({
  name: `${count}`,
  prompts: 1,
  run: (decoder) => decoder.prefill(0, tokens(count, count), 0, WANTED),
});
const together = (prompts: number, count: number): Way => ({
  name: `${prompts} x ${count}`,
  prompts,
  run: (decoder) =>
    decoder.prefillTogether(
      0,
      Array.from({ length: prompts }, (_, seed) => tokens(count, seed)),
      WANTED,
    ),
});
/** What a copied prefix of `shared` tokens leaves of 80; the copy is part of it. */
const behind = (shared: number): Way => ({
  name: `80, ${shared} shared`,
  prompts: 1,
  run: async (decoder) => {
    decoder.move(1, 0, shared);
    await decoder.prefill(0, tokens(80 - shared, 1), shared, WANTED);
  },
});

const LENGTHS = [16, 32, 64, 128, 256] as const;
const WAYS: readonly Way[] = [
  ...LENGTHS.map(alone),
  alone(20),
  together(4, 20),
  alone(80),
  together(2, 80),
  together(3, 80),
  behind(32),
  behind(64),
];

const opened = await openRuntime('auto');
const decoders = new Map<Precision, Decoder>();
for (const precision of PRECISIONS) {
  const folder = await syntheticModel('facebook/opt-125m', precision);
  decoders.set(precision, (await loadGenerator(opened, folder, { threads, slots: 4, context: 512 })).decoder);
}

const progress = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[2K${text}`);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const samples = new Map<Precision, Map<string, number[]>>(PRECISIONS.map((precision) => [precision, new Map()]));
for (let round = -1; round < rounds; round++) {
  for (const way of WAYS) {
    for (const [precision, decoder] of decoders) {
      const begin = performance.now();
      await way.run(decoder);
      const ms = (performance.now() - begin) / way.prompts;
      const of = samples.get(precision)!;
      if (round >= 0) of.set(way.name, [...(of.get(way.name) ?? []), ms]);
    }
  }
  progress(`round ${round + 1} of ${rounds}`);
}

interface Row {
  readonly precision: Precision;
  /** Milliseconds a prompt, by way. */
  readonly ms: Readonly<Record<string, number>>;
  /** What a run costs besides its tokens, in tokens: from a straight line through the times of one prompt alone. */
  readonly fixedTokens: number;
}

const rows = PRECISIONS.map((precision): Row => {
  const ms = Object.fromEntries([...samples.get(precision)!].map(([name, values]) => [name, median(values)]));
  return { precision, ms, fixedTokens: fixedCost(ms) };
});
const quality = await measureQuality(PRECISIONS, threads, progress);
const machine = { cpu: cpus()[0]!.model, threads };
writeFileSync(
  path.join(import.meta.dirname, 'results.json'),
  `${JSON.stringify({ machine, rows, quality }, null, 2)}\n`,
);
const report = render(rows, quality);
writeFileSync(path.join(import.meta.dirname, 'results.md'), report);
progress('');
process.stdout.write(report);
for (const decoder of decoders.values()) decoder.release();

/** Least squares through (tokens, milliseconds): intercept over slope. */
function fixedCost(ms: Readonly<Record<string, number>>): number {
  const points = LENGTHS.map((length) => [length, ms[`${length}`]!] as const);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([length]) => length)), mean(points.map(([, time]) => time))];
  const slope =
    points.reduce((sum, [length, time]) => sum + (length - x) * (time - y), 0) /
    points.reduce((sum, [length]) => sum + (length - x) ** 2, 0);
  return (y - slope * x) / slope;
}

function render(rows: readonly Row[], quality: readonly Quality[]): string {
  const names = WAYS.map(({ name }) => name);
  return [
    `OPT-125m, random weights, ${machine.threads} threads of ${machine.cpu}; milliseconds a prompt, medians of ${rounds} interleaved rounds.`,
    'A number alone is the length of one prompt that runs by itself; `3 x 80` are three prompts in one run; `80, 64 shared` has 64 tokens copied.',
    '',
    `| weights | ${names.join(' | ')} | a run by itself costs |`,
    `|---|${names.map(() => '---|').join('')}---|`,
    ...rows.map(
      ({ precision, ms, fixedTokens }) =>
        `| ${precision} | ${names.map((name) => ms[name]!.toFixed(1)).join(' | ')} | ${fixedTokens.toFixed(0)} tokens |`,
    ),
    '',
    ...rows
      .filter(({ precision }) => precision !== 'fp32')
      .map(
        ({ precision, ms }) =>
          `* ${precision}: prefill of 128 tokens in ${(ms['128']! / rows[0]!.ms['128']!).toFixed(2)} of the time of fp32`,
      ),
    '',
    'Quality of the trained checkpoint on held-out text, each token predicted from the true ones before it:',
    '',
    `| weights | perplexity of ${quality[0]!.answers.tokens} tokens of answers | same arg-max as fp32 | the same over ${quality[0]!.prompts.tokens} tokens of prompts, never learnt |`,
    '|---|---|---|---|',
    ...quality.map(
      ({ precision, answers, prompts }) =>
        `| ${precision} | ${answers.perplexity.toFixed(4)} | ${percent(answers.agreement)} | ${percent(prompts.agreement)} |`,
    ),
    '',
  ].join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
