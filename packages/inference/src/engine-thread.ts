/** The engine thread: owns sessions, cache, tokenizers and sampling, and does the work that messages ask for, one job at a time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import {
  clock,
  type EngineThreadData,
  type FromThread,
  type Results,
  type ToThread,
  toPlainError,
} from './engine-protocol.ts';
import { CancelledError } from './errors.ts';
import { startJob } from './jobs.ts';
import { loadModels, type Models } from './models.ts';
import { openRuntime } from './open-runtime.ts';

type WorkMessage = Extract<ToThread, { type: 'work' }>;

const port = parentPort!;
const data = workerData as EngineThreadData;

const queue: WorkMessage[] = [];
let running: number | undefined;
let cancelled = false;
let closed = false;
let wake: () => void = () => {};

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function receive(message: ToThread): void {
  if (message.type === 'work') queue.push(message);
  if (message.type === 'close') closed = true;
  if (message.type === 'cancel') {
    if (message.id === running) cancelled = true;
    const waiting = queue.findIndex(({ id }) => id === message.id);
    if (waiting >= 0) queue.splice(waiting, 1);
  }
  wake();
}

async function serve(models: Models): Promise<void> {
  while (!closed) {
    const message = queue.shift();
    if (message === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    running = message.id;
    cancelled = false;
    await work(models, message);
    running = undefined;
  }
}

async function work(models: Models, { id, sentAt, work }: WorkMessage): Promise<void> {
  try {
    const job = startJob(models, work, clock() - sentAt);
    for (;;) {
      const step = await job.next();
      if (step.done) return send({ type: 'done', id, result: step.value }, ownBuffers(step.value));
      // Messages arrive between steps only if the event loop gets its turn.
      await nextTurn();
      if (cancelled || closed) throw new CancelledError('the request was withdrawn');
    }
  } catch (error) {
    send({ type: 'refused', id, error: toPlainError(error) });
  }
}

/** Vectors leave without a copy: nothing here uses them again. */
function ownBuffers(result: Results[keyof Results]): ArrayBuffer[] {
  return 'vectors' in result ? result.vectors.map((vector) => vector.buffer as ArrayBuffer) : [];
}

async function main(): Promise<void> {
  let models: Models;
  try {
    const opened = await openRuntime(data.runtime);
    models = await loadModels(opened, data);
    const { runtime, fallbackReason, runOptionsAddress } = opened;
    port.on('message', receive);
    send({
      type: 'ready',
      embedder: models.encoder.manifest,
      generator: models.generator.manifest,
      context: models.generator.decoder.context,
      runtime: { name: runtime.name, ...(fallbackReason === undefined ? {} : { fallbackReason }) },
      ...(runOptionsAddress === undefined ? {} : { runOptionsAddress }),
    });
  } catch (error) {
    send({ type: 'failed', error: toPlainError(error) });
    return;
  }
  await serve(models);
  models.encoder.release();
  models.generator.decoder.release();
  port.close();
}

await main();
