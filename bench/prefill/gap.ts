/**
 * How long does an answer wait for its next token while long prompts come in? One answer is decoded; prompts of 1,500 tokens keep
 * arriving beside it, computed in chunks of different sizes.
 *
 *     npm run bench:gap [-- --threads N]        prints a table
 */
import { parseArgs } from 'node:util';
import { DEFAULT_BATCHING, GREEDY } from '@ragscale/inference/engine-api';
import { GenerationState } from '@ragscale/inference/generation-state';
import { loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';
import { Scheduler } from '@ragscale/inference/scheduling/scheduler';
import type { GenerateTask } from '@ragscale/inference/scheduling/tasks';
import { syntheticModel } from '../lib/synthetic-model.ts';

const { values: flags } = parseArgs({ options: { threads: { type: 'string', default: '2' } } });
const CHUNKS = [64, 256, 1536] as const;
const PROMPT = 1500;
const TOKENS = 150;
const CONTEXT = 2048;
const PROMPTS_AT_ONCE = 2;

const folder = await syntheticModel('facebook/opt-125m', 'w8a8');
const options = { threads: Number(flags.threads), slots: 4, context: CONTEXT };
const { decoder } = await loadGenerator(await openRuntime('auto'), folder, options);

function task(id: number, promptTokens: number, maxTokens: number): GenerateTask {
  const state = new GenerationState({
    promptIds: Array.from({ length: promptTokens }, (_, place) => 10 + ((id * 7919 + place * 104_729) % 50_000)),
    settings: { ...GREEDY, maxTokens, ignoreEos: true },
    eos: [],
    vocabulary: decoder.vocabulary,
    decode: () => 'x',
  });
  const never = Number.POSITIVE_INFINITY;
  return { id, order: id, arrivedAt: 0, deadlineAt: never, state, passagesUsed: 0, streamed: false };
}

/** Milliseconds between the tokens of one answer, ascending, and how many long prompts were read meanwhile. */
async function gapsWith(prefillTokens: number): Promise<{ gaps: number[]; prompts: number }> {
  const watched = task(0, 16, TOKENS);
  const gaps: number[] = [];
  let [last, prompts, id] = [0, 0, 1];
  const scheduler = new Scheduler(
    {
      embed: () => Promise.reject(new Error('nothing is embedded here')),
      prefill: (...args) => decoder.prefill(...args),
      prefillTogether: (...args) => decoder.prefillTogether(...args),
      decode: (...args) => decoder.decode(...args),
      move: (...args) => decoder.move(...args),
    },
    {
      slots: options.slots,
      batching: { ...DEFAULT_BATCHING, prefillTokens, sharePrefixes: false },
      now: () => performance.now(),
      onOutcome: ({ kind, task: ended }) => {
        if (kind !== 'generated' || ended === watched) return;
        prompts += 1;
        scheduler.generate(task(id++, PROMPT, 2));
      },
    },
  );
  scheduler.generate(watched);
  for (let i = 0; i < PROMPTS_AT_ONCE; i++) scheduler.generate(task(id++, PROMPT, 2));
  for (let held = 0; !watched.state.finished; ) {
    await scheduler.run();
    if (watched.state.tokens.length === held) continue;
    held = watched.state.tokens.length;
    const now = performance.now();
    if (held > 1) gaps.push(now - last);
    last = now;
  }
  return { gaps: gaps.toSorted((a, b) => a - b), prompts };
}

const rows = [];
for (const chunk of CHUNKS) {
  const { gaps, prompts } = await gapsWith(chunk);
  const at = (share: number) => gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))]!.toFixed(0);
  const sum = gaps.reduce((total, gap) => total + gap, 0) / 1000;
  rows.push(`| ${chunk} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${(prompts / sum).toFixed(2)} |`);
}
process.stdout.write(
  [
    `OPT-125m, w8a8, ${flags.threads} threads; ${TOKENS} tokens of one answer while prompts of ${PROMPT} tokens are read one after the other.`,
    '',
    '| PREFILL_TOKENS | gap p50, ms | p99 | longest | prompts read a second |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
);
decoder.release();
