/**
 * Answers prompts with a built model folder, for evaluate.py: one {"prompt"} a line in, one {"answer"} a line out, in order.
 *
 *     python3 evaluate.py --command 'node --conditions=source answer.ts ../embedded/generator'
 */
import { createInterface } from 'node:readline';
import { generateAlone } from '@ragscale/inference/alone';
import { GREEDY } from '@ragscale/inference/engine-api';
import { loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';

const MAX_TOKENS = 96;

const folder = process.argv[2];
if (folder === undefined) throw new Error('name a model folder');
const generator = await loadGenerator(await openRuntime('auto'), folder, { threads: 1, slots: 1 });
for await (const line of createInterface(process.stdin)) {
  const { prompt } = JSON.parse(line) as { prompt: string };
  const { text } = await generateAlone(generator, { text: prompt }, { ...GREEDY, maxTokens: MAX_TOKENS });
  process.stdout.write(`${JSON.stringify({ answer: text })}\n`);
}
generator.decoder.release();
