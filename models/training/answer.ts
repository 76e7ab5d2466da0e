/**
 * Answers prompts with a built model folder, for evaluate.py: one {"prompt"} a line in, one {"answer"} a line out, in order.
 *
 *     python3 evaluate.py --command 'node --conditions=source answer.ts ../embedded/generator'
 */
import { createInterface } from 'node:readline';
import { GREEDY } from '@ragscale/inference/engine-api';
import { generate } from '@ragscale/inference/jobs';
import { loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';

const MAX_TOKENS = 96;

const folder = process.argv[2];
if (folder === undefined) throw new Error('name a model folder');
const generator = await loadGenerator(await openRuntime('auto'), folder, { threads: 1, slots: 1 });
for await (const line of createInterface(process.stdin)) {
  const { prompt } = JSON.parse(line) as { prompt: string };
  const job = generate(generator, { text: prompt }, { ...GREEDY, maxTokens: MAX_TOKENS }, 0);
  let step = await job.next();
  while (!step.done) step = await job.next();
  process.stdout.write(`${JSON.stringify({ answer: step.value.text })}\n`);
}
generator.decoder.release();
