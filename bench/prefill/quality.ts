/** What does a precision cost in quality? Perplexity of held-out text, and how often the likeliest token is that of fp32. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Precision } from '@ragscale/inference/manifest';
import { type Generator, loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';
import { logProbability } from '@ragscale/inference/sampling';
import { buildModel } from '@ragscale/model-builder/build';

export interface Quality {
  readonly precision: Precision;
  /** What it was trained for: the answers, after their prompts. */
  readonly answers: Score;
  /** Harder: the prompts, which it never learnt to predict, so that its likeliest tokens are close to each other. */
  readonly prompts: Score;
}

export interface Score {
  /** e to the mean negative log-probability of a token. */
  readonly perplexity: number;
  /** Share of tokens whose arg-max is that of fp32. */
  readonly agreement: number;
  readonly tokens: number;
}

const root = path.join(import.meta.dirname, '../..');
const CHECKPOINT = path.join(root, 'models/checkpoints/tiny-rag-opt');
const HELD_OUT = path.join(root, 'models/training/heldout.jsonl');
const CONTEXT = 512;
/** Prompts that are scored token by token: some 6,000 tokens. */
const PROMPTS = 60;

interface Example {
  readonly prompt: string;
  readonly answer: string;
}

interface Predictions {
  readonly argMax: number[];
  readonly logProbabilities: number[];
}

export async function measureQuality(
  precisions: readonly Precision[],
  threads: number,
  progress: (text: string) => void,
): Promise<Quality[]> {
  const examples = readFileSync(HELD_OUT, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Example);
  const scratch = mkdtempSync(path.join(tmpdir(), 'ragscale-quality-'));
  try {
    const found = new Map<Precision, Record<'answers' | 'prompts', Predictions>>();
    for (const precision of precisions) {
      const folder = path.join(scratch, precision);
      await buildModel({ checkpoint: CHECKPOINT, out: folder, precision });
      const generator = await loadGenerator(await openRuntime('auto'), folder, { threads, slots: 1, context: CONTEXT });
      const texts = examples.slice(0, PROMPTS).map(({ prompt }) => ({ prompt: '', answer: prompt }));
      found.set(precision, {
        answers: await predict(generator, examples),
        prompts: await predict(generator, texts),
      });
      generator.decoder.release();
      progress(`quality: ${precision}`);
    }
    const reference = found.get('fp32')!;
    return precisions.map((precision) => ({
      precision,
      answers: score(found.get(precision)!.answers, reference.answers),
      prompts: score(found.get(precision)!.prompts, reference.prompts),
    }));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function score({ argMax, logProbabilities }: Predictions, reference: Predictions): Score {
  const tokens = argMax.length;
  const sum = logProbabilities.reduce((total, value) => total + value, 0);
  const same = argMax.filter((token, place) => token === reference.argMax[place]).length;
  return { perplexity: Math.exp(-sum / tokens), agreement: same / tokens, tokens };
}

/** Teacher forcing: the true answer goes in token by token, and each is asked for before it is given. */
async function predict({ decoder, tokenizer }: Generator, examples: readonly Example[]): Promise<Predictions> {
  const predictions: Predictions = { argMax: [], logProbabilities: [] };
  const wanted = { candidates: 1, logits: true };
  for (const { prompt, answer } of examples) {
    const promptIds = tokenizer.encode(prompt);
    const wholeIds = tokenizer.encode(`${prompt} ${answer}`.trimStart());
    let row = await decoder.prefill(0, promptIds, 0, wanted);
    for (let place = promptIds.length; place < wholeIds.length; place++) {
      const token = wholeIds[place]!;
      predictions.argMax.push(Number(row.ids[0]));
      predictions.logProbabilities.push(logProbability(row.logits!, token));
      [row] = (await decoder.decode([{ token, length: place }], wanted)) as [typeof row];
    }
  }
  return predictions;
}
