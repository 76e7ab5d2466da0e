/**
 * What does quantization cost in quality and save in time, for one checkpoint?
 *
 *     node --conditions=source scripts/compare-precisions.ts CHECKPOINT [--runs N]
 *
 * Builds all precisions into a temporary folder and compares each with fp32: cosines of embeddings for encoders; for decoders the
 * logits over a text and the share of tokens whose arg-max is the same. Times are medians of interleaved runs: read the ratios.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Precision } from '../packages/inference/src/manifest.ts';
import { Tokenizer } from '../packages/inference/src/tokenizer.ts';
import { buildModel } from '../packages/model-builder/src/build.ts';
import { type DecoderResult, DecoderRunner, EncoderRunner } from '../packages/model-builder/test/graph-runner.ts';
import { cosine } from '../packages/model-builder/test/similarity.ts';

const PRECISIONS: readonly Precision[] = ['fp32', 'w8a8', 'w8', 'w4'];
const TEXTS = path.join(import.meta.dirname, '../packages/model-builder/test/fixtures/embedder-golden.json');
const CONTEXT = 512;
const SLOTS = 16;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '15' } },
});
const checkpoint = positionals[0];
if (checkpoint === undefined) throw new Error('name a checkpoint folder');
const runs = Number(values.runs);
const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-compare-'));
const texts = (JSON.parse(readFileSync(TEXTS, 'utf8')) as { texts: { text: string }[] }).texts.map(({ text }) => text);

const folders = new Map<Precision, string>();
const sizes = new Map<Precision, number>();
let kind: 'encoder' | 'decoder' = 'encoder';
for (const precision of PRECISIONS) {
  const out = path.join(scratch, precision);
  const manifest = await buildModel({ checkpoint, out, precision });
  folders.set(precision, out);
  sizes.set(precision, manifest.files[manifest.graph]!.bytes + (manifest.files[`${manifest.graph}.data`]?.bytes ?? 0));
  kind = manifest.kind;
}
const tokenizer = await Tokenizer.load(folders.get('fp32')!);

async function compareEncoders(): Promise<Record<string, string>[]> {
  const runners = await openAll(EncoderRunner.open);
  const rows = texts.map((text) => tokenizer.encode(text));
  const embed = (runner: EncoderRunner, row: number[]) =>
    runner.embed([row], Math.ceil(row.length / 8) * 8).then(([vector]) => vector!);
  const reference = await Promise.all(rows.map((row) => embed(runners.get('fp32')!, row)));
  const padded = (length: number) => [...rows.flat(), ...rows.flat()].slice(0, length);
  const loads = {
    '1 x 16': [padded(16)],
    '8 x 32': Array<number[]>(8).fill(padded(32)),
    '4 x 128': Array<number[]>(4).fill(padded(128)),
  };
  const times = await interleaved(runners, loads, (runner, load) => runner.embed(load));
  return Promise.all(
    PRECISIONS.map(async (precision) => {
      const vectors = await Promise.all(rows.map((row) => embed(runners.get(precision)!, row)));
      const cosines = vectors.map((vector, i) => cosine(vector, reference[i]!));
      return {
        ...described(precision),
        'mean cosine': mean(cosines).toFixed(5),
        'min cosine': Math.min(...cosines).toFixed(4),
        ...times.get(precision),
      };
    }),
  );
}

async function compareDecoders(): Promise<Record<string, string>[]> {
  const runners = await openAll((folder) => DecoderRunner.open(folder, SLOTS, CONTEXT));
  const { maxTokens } = runners.get('fp32')!.manifest.dimensions;
  const prompts = texts.map((text, i) => {
    const passages = [1, 2, 3].map((step) => texts[(i + step) % texts.length]!).join('\n');
    return tokenizer.encode(`Question: ${text}\nContext:\n${passages}\nAnswer:`).slice(0, Math.min(CONTEXT, maxTokens));
  });
  const logitsOf = (runner: DecoderRunner, prompt: number[]) => runner.prefill([prompt]);
  const reference: DecoderResult[] = [];
  for (const prompt of prompts) reference.push(await logitsOf(runners.get('fp32')!, prompt));
  const part = (length: number) => prompts.flat().slice(0, length);
  const loads = {
    'prefill 16': (runner: DecoderRunner) => runner.prefill([part(16)], { logitRows: [15] }),
    'prefill 128': (runner: DecoderRunner) => runner.prefill([part(128)], { logitRows: [127] }),
    'decode 1': (runner: DecoderRunner) => runner.decode([7], [100]),
    'decode 16': (runner: DecoderRunner) => runner.decode(Array<number>(16).fill(7), Array<number>(16).fill(100)),
  };
  const times = await interleaved(runners, loads, (runner, load) => load(runner));
  const rows = [];
  for (const precision of PRECISIONS) {
    let [agreed, tokens] = [0, 0];
    const cosines: number[] = [];
    for (const [i, prompt] of prompts.entries()) {
      const { logits, topIds } = await logitsOf(runners.get(precision)!, prompt);
      cosines.push(...logits.map((row, t) => cosine(row, reference[i]!.logits[t]!)));
      agreed += topIds.filter(([id], t) => id === reference[i]!.topIds[t]![0]).length;
      tokens += topIds.length;
    }
    const quality = { 'mean cosine': mean(cosines).toFixed(5), 'min cosine': Math.min(...cosines).toFixed(4) };
    rows.push({
      ...described(precision),
      ...quality,
      'same arg-max': `${((100 * agreed) / tokens).toFixed(1)}% of ${tokens}`,
      ...times.get(precision),
    });
  }
  return rows;
}

async function openAll<R>(open: (folder: string) => Promise<R>): Promise<Map<Precision, R>> {
  const runners = new Map<Precision, R>();
  for (const precision of PRECISIONS) runners.set(precision, await open(folders.get(precision)!));
  return runners;
}

/** Median milliseconds of each load in each precision, the precisions taking turns. */
async function interleaved<R, L>(
  runners: Map<Precision, R>,
  loads: Record<string, L>,
  run: (runner: R, load: L) => Promise<unknown>,
) {
  const results = new Map<Precision, Record<string, string>>(PRECISIONS.map((precision) => [precision, {}]));
  for (const [name, load] of Object.entries(loads)) {
    const samples = new Map<Precision, number[]>(PRECISIONS.map((precision) => [precision, []]));
    for (let i = 0; i < runs; i++) {
      for (const [precision, runner] of runners) {
        const started = performance.now();
        await run(runner, load);
        samples.get(precision)!.push(performance.now() - started);
      }
    }
    for (const precision of PRECISIONS) {
      const sorted = samples.get(precision)!.sort((a, b) => a - b);
      results.get(precision)![`${name} (ms)`] = sorted[Math.floor(sorted.length / 2)]!.toFixed(1);
    }
  }
  return results;
}

const described = (precision: Precision) => ({ precision, MB: (sizes.get(precision)! / 1e6).toFixed(1) });
const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

try {
  console.table(kind === 'encoder' ? await compareEncoders() : await compareDecoders());
} finally {
  rmSync(scratch, { recursive: true });
}
