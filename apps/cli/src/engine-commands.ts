/** `ragscale generate` and `ragscale embed`: one model folder, run once, so that its results can be compared with anything. */
import { embedAlone, generateAlone } from '@ragscale/inference/alone';
import { loadEncoder, loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';
import { Command, Option } from 'commander';
import { numberIn } from './option-values.ts';
import { printJson } from './output.ts';

interface EngineFlags {
  model: string;
  threads: number;
  runtime: 'auto' | 'c-api' | 'node-api';
  json?: true;
}

interface GenerateFlags extends EngineFlags {
  prompt: string;
  maxTokens: number;
  ignoreEos?: true;
  temperature: number;
  topP: number;
  topK: number;
  seed?: number;
  stop: string[];
}

export function generateCommand(): Command {
  return withEngineOptions(new Command('generate'))
    .description('continue a prompt with the model of a folder; prints tokens, log-probabilities and text')
    .requiredOption('--prompt <text>', 'given to the model as it is, special tokens included')
    .option('--max-tokens <n>', 'tokens to generate', numberIn(1, 1e6, 'whole'), 64)
    .option('--ignore-eos', 'go on past the end-of-sequence token')
    .option('--temperature <t>', '0 is greedy', numberIn(0, 100), 0)
    .option('--top-p <p>', 'draw among the likeliest tokens with this much probability', numberIn(0.0001, 1), 1)
    .option('--top-k <k>', 'draw among the k likeliest tokens; 0 is all', numberIn(0, 1e6, 'whole'), 0)
    .option('--seed <n>', 'makes drawing repeatable', numberIn(0, 2 ** 53 - 1, 'whole'))
    .option('--stop <text...>', 'end before any of these', [])
    .action(async ({ model, threads, runtime, json, prompt, seed, ignoreEos, ...settings }: GenerateFlags) => {
      const opened = await openRuntime(runtime);
      const generator = await loadGenerator(opened, model, { threads, slots: 1 });
      const answer = await generateAlone(
        generator,
        { text: prompt },
        {
          ...settings,
          logprobs: true,
          ...(seed === undefined ? {} : { seed }),
          ...(ignoreEos === undefined ? {} : { ignoreEos }),
        },
      );
      generator.decoder.release();
      const { tokens, logprobs, text, finishReason, promptTokens, timing } = answer;
      if (json) return printJson({ tokens, logprobs, text, finishReason, promptTokens });
      const rate = ((tokens.length - 1) / timing.decodeMs) * 1000;
      process.stdout.write(`${text}\n`);
      process.stderr.write(
        `${promptTokens} prompt tokens in ${timing.prefillMs.toFixed(0)} ms, ${tokens.length} tokens (${finishReason})` +
          `${tokens.length > 1 ? `, ${rate.toFixed(0)} a second` : ''}\n`,
      );
    });
}

export function embedCommand(): Command {
  return withEngineOptions(new Command('embed'))
    .description('embed texts with the model of a folder; prints unit vectors')
    .requiredOption('--text <text...>', 'one or more texts')
    .addOption(new Option('--as <role>', 'which dress of the model').choices(['query', 'passage']).default('passage'))
    .action(async (flags: EngineFlags & { text: string[]; as: 'query' | 'passage' }) => {
      const encoder = await loadEncoder(await openRuntime(flags.runtime), flags.model, flags.threads);
      const { vectors } = await embedAlone(encoder, flags.text, flags.as);
      encoder.release();
      const embeddings = vectors.map((vector) => Array.from(vector));
      if (flags.json) return printJson({ embeddings });
      for (const [index, vector] of embeddings.entries()) {
        const shown = vector.slice(0, 6).map((value) => value.toFixed(4));
        process.stdout.write(`[${shown.join(', ')}, ...] (${vector.length})  ${flags.text[index]}\n`);
      }
    });
}

function withEngineOptions(command: Command): Command {
  return command
    .requiredOption('--model <dir>', 'model folder (docs/model-folder.md)')
    .option('--threads <n>', 'threads within an operator', numberIn(1, 256, 'whole'), 1)
    .addOption(
      new Option('--runtime <name>', 'how to reach ONNX Runtime')
        .choices(['auto', 'c-api', 'node-api'])
        .default('auto'),
    )
    .option('--json', 'print JSON');
}
