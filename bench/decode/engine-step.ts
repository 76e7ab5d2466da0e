/**
 * What a decode step costs in the whole engine: the run, candidates, sampling, text, and the turn of the event loop between
 * steps. Speaks the same lines as peer.c: `node engine-step.ts MODEL THREADS CONTEXT ROWS`, then `START STEPS` per line.
 */
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GREEDY } from '@ragscale/inference/engine-api';
import { GenerationState } from '@ragscale/inference/generation-state';
import { loadGenerator } from '@ragscale/inference/models';
import { openRuntime } from '@ragscale/inference/open-runtime';

const [folder, threads, context, rowCount] = process.argv.slice(2);
const rows = Number(rowCount);
const opened = await openRuntime((process.env.RUNTIME as 'c-api' | 'node-api' | undefined) ?? 'c-api');
const { decoder, tokenizer } = await loadGenerator(opened, folder!, {
  threads: Number(threads),
  slots: rows,
  context: Number(context),
});

function newState(start: number, steps: number): GenerationState {
  return new GenerationState({
    promptIds: new Array<number>(start).fill(5),
    settings: { ...GREEDY, maxTokens: steps + 2, ignoreEos: true },
    eos: [],
    vocabulary: decoder.vocabulary,
    decode: (ids) => tokenizer.decode(ids),
  });
}

console.log('ready');
for await (const line of createInterface(process.stdin)) {
  const [start, steps] = line.split(' ').map(Number) as [number, number];
  const states = Array.from({ length: rows }, () => newState(start, steps));
  states.forEach(
    (state, row) => void state.advance({ ids: BigInt64Array.of(BigInt(5 + row)), values: Float32Array.of(0) }),
  );
  const times: number[] = [];
  for (let step = 0; step < steps; step++) {
    const begin = process.hrtime.bigint();
    const found = await decoder.decode(
      states.map((state) => ({ token: state.lastToken, length: state.length })),
      states[0]!.wanted,
    );
    for (const [row, state] of states.entries()) state.advance(found[row]!);
    await nextTurn();
    times.push(Number(process.hrtime.bigint() - begin));
  }
  console.log(times.toSorted((a, b) => a - b)[steps >> 1]);
}
decoder.release();
