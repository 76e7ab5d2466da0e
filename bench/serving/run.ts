/**
 * RAG servers side by side on the same weights, questions, documents and answer lengths: saturation, latency against the rate, CPU per
 * request, and what the machine allows.
 *
 *     npm run bench:serving [-- --quick] [-- --only NAME,NAME] [-- --threads N] [-- --max-batch-size N] [-- --rounds N] [-- --out FOLDER]
 *
 * Writes results.json, results.md and results.svg here (or to --out). Needs Linux, a C compiler and Python; peers are installed once into the cache folder.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Tokenizer } from '@ragscale/inference/tokenizer';
import { checkpoints, GENERATOR, peerPython } from './assets.ts';
import { boundOf, shapeOf } from './bound.ts';
import { draw } from './draw.ts';
import { measureLimits } from './limits.ts';
import { FULL, QUICK } from './plan.ts';
import { type Report, reportOf } from './report.ts';
import { summarize } from './summary.ts';
import { commandsFor, knownSystems, type ServedPrecision } from './systems.ts';
import { tablesOf } from './tables.ts';
import { type ComparedAnswer, type Visit, visit } from './visit.ts';
import { EQUAL_TOKENS } from './workload.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    threads: { type: 'string', default: '2' },
    'max-batch-size': { type: 'string', default: '16' },
    'max-waiting-time': { type: 'string', default: '0.5' },
    rounds: { type: 'string' },
    out: { type: 'string', default: import.meta.dirname },
  },
});
const BYTES_PER_WEIGHT: Record<ServedPrecision, number> = { fp32: 4, w8a8: 1, w8: 1 };
const threads = Number(flags.threads);
const maxWaitingTime = Number(flags['max-waiting-time']);
const chosen = flags.quick ? QUICK : FULL;
const plan = { ...chosen, rounds: Number(flags.rounds ?? chosen.rounds) };

const known = knownSystems(Number(flags['max-batch-size']));
const wanted = flags.only?.split(',') ?? known.filter(({ isOptional }) => !isOptional).map(({ name }) => name);
const unknown = wanted.filter((name) => !known.some((system) => system.name === name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; known: ${known.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}
const systems = known.filter(({ name }) => wanted.includes(name));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

mkdirSync(flags.out, { recursive: true });
const begin = performance.now();
const seconds = () => ((performance.now() - begin) / 1000).toFixed(0).padStart(4);
const progress = (what: string) => void process.stderr.write(`${seconds()} s  ${what}\n`);

progress('prepares models and peers');
const commands = await commandsFor(systems, threads, maxWaitingTime);
progress('measures the limits of the machine');
const limits = measureLimits(peerPython(), threads);

const visits = new Map<string, Visit[]>(systems.map(({ name }) => [name, []]));
for (let round = 0; round < plan.rounds; round++) {
  // Who comes first changes, so that a machine that gets slower or faster does it to all.
  for (const system of round % 2 === 0 ? systems : systems.toReversed()) {
    const done = visits.get(system.name)!;
    const onProgress = (what: string) => progress(`round ${round + 1}, ${system.name}: ${what}`);
    const saturation = done[0] === undefined ? undefined : summarize([done[0].saturation]).requestsPerSecond;
    const command = commands.get(system.name)!;
    done.push(await visit({ system, command, plan, round, saturation, onProgress }));
  }
}

const weights = await checkpoints();
const compared = visits.get(systems[0]!.name)![0]!.compared;
const size = { ...(await tokensOf(compared)), newTokens: EQUAL_TOKENS };
const config = (folder: string) =>
  JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
const shape = shapeOf(config(weights.generator), config(weights.embedder));
const reference = systems[0]!.precision === 'fp32' ? compared : undefined;

const report: Report = {
  machine: { cpu: cpus()[0]!.model, processors: availableParallelism(), threads, limits },
  settings: {
    generator: GENERATOR,
    promptTokens: size.promptTokens,
    newTokens: size.newTokens,
    comparedAnswers: compared.length,
    rounds: plan.rounds,
    maxWaitingTime,
    minutes: (performance.now() - begin) / 60_000,
  },
  systems: systems.map((system) => {
    const arithmetic = system.precision === 'fp32' ? limits.fp32 : limits.int8;
    const use = { slots: system.slots, bytesPerWeight: BYTES_PER_WEIGHT[system.precision] };
    const bound = boundOf(shape, { bandwidth: limits.bandwidth, arithmetic }, size, use);
    return reportOf(system, visits.get(system.name)!, reference, bound);
  }),
};
writeFileSync(path.join(flags.out, 'results.json'), `${JSON.stringify(report, null, 2)}\n`);
const tables = tablesOf(report);
writeFileSync(path.join(flags.out, 'results.md'), tables);
process.stdout.write(tables);
await draw(report, path.join(flags.out, 'results.svg'));

/** Mean tokens of the compared questions, as the embedder counts them, and of their prompts, as the generator does. */
async function tokensOf(answers: readonly ComparedAnswer[]) {
  const [embedder, generator] = [await Tokenizer.load(weights.embedder), await Tokenizer.load(weights.generator)];
  const mean = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const prompt = ({ query, sources }: ComparedAnswer) =>
    `Question: ${query}\nContext:\n${sources.map(({ text }) => text).join('\n')}\nAnswer:`;
  return {
    queryTokens: mean(answers.map(({ query }) => embedder.encode(query).length)),
    promptTokens: mean(answers.map((answer) => generator.encode(prompt(answer)).length)),
  };
}
