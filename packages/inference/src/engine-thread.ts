/** The engine thread: owns sessions, cache, tokenizers and sampling; runs what the scheduler says, and takes messages between runs. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { ModelRun } from './engine-api.ts';
import {
  clock,
  type EngineEvent,
  type EngineThreadData,
  type FromThread,
  type ToThread,
  toPlainError,
  type WorkMessage,
} from './engine-protocol.ts';
import { embedTask, eventOf, generateTask, type MessageOf } from './engine-work.ts';
import { loadModelsOnDevice, type Models } from './models.ts';
import { openRuntime } from './open-runtime.ts';
import { Scheduler } from './scheduling/scheduler.ts';
import type { Outcome } from './scheduling/tasks.ts';
import { TokenCounts } from './token-counts.ts';

/** Runs that are reported at the latest when there are this many: usually they travel with what came of them. */
const MAX_UNREPORTED_RUNS = 256;

const port = parentPort!;
const data = workerData as EngineThreadData;

class EngineThread {
  readonly #models: Models;
  readonly #scheduler: Scheduler;
  readonly #counts: TokenCounts;
  #events: EngineEvent[] = [];
  #runs: ModelRun[] = [];
  #closed = false;
  #wake: () => void = () => {};

  constructor(models: Models) {
    this.#models = models;
    const { encoder, generator } = models;
    this.#counts = new TokenCounts((text) => encoder.countTokens(text));
    this.#scheduler = new Scheduler(
      {
        embed: (texts) => encoder.run(texts),
        prefill: (...args) => generator.decoder.prefill(...args),
        prefillTogether: (...args) => generator.decoder.prefillTogether(...args),
        decode: (...args) => generator.decoder.decode(...args),
        move: (...args) => generator.decoder.move(...args),
      },
      {
        slots: data.slots,
        batching: data.batching,
        now: clock,
        onOutcome: (outcome) => this.#told(outcome),
      },
    );
  }

  receive(message: ToThread): void {
    if (message.type === 'close') this.#closed = true;
    else if (message.type === 'work') this.#begin(message);
    else {
      this.#scheduler.withdraw(message.id);
      this.#counts.withdraw(message.id);
    }
    this.#wake();
  }

  async serve(): Promise<void> {
    while (!this.#closed) {
      const counted = this.#counts.step();
      if (counted !== undefined) this.#events.push({ kind: 'done', id: counted.id, result: counted.counts });
      const ran = await this.#scheduler.run();
      if (ran !== undefined) this.#runs.push(ran);
      this.#report();
      // Messages arrive between runs only if the event loop gets its turn.
      if (ran !== undefined || this.#counts.waiting) await nextTurn();
      else await this.#sleep();
    }
  }

  #begin(message: WorkMessage): void {
    const { work, id } = message;
    try {
      if (work.kind === 'embed') this.#scheduler.embed(embedTask(this.#models.encoder, message as MessageOf<'embed'>));
      else if (work.kind === 'generate')
        this.#scheduler.generate(generateTask(this.#models.generator, message as MessageOf<'generate'>));
      else this.#counts.add(id, work.texts);
    } catch (error) {
      this.#events.push({ kind: 'refused', id, error: toPlainError(error) });
    }
  }

  #told(outcome: Outcome): void {
    if (outcome.kind === 'started' && !outcome.task.streamed) return;
    this.#events.push(eventOf(outcome));
    // Who streams sends its head while the prompt is computed, which is not waited for.
    if (outcome.kind === 'started') this.#report();
  }

  #report(): void {
    if (this.#events.length === 0 && this.#runs.length < MAX_UNREPORTED_RUNS) return;
    // Vectors leave without a copy: nothing here uses them again.
    const vectors = this.#events.flatMap((event) =>
      event.kind === 'done' && 'vectors' in event.result ? event.result.vectors : [],
    );
    send(
      { type: 'events', events: this.#events, runs: this.#runs },
      vectors.map(({ buffer }) => buffer as ArrayBuffer),
    );
    this.#events = [];
    this.#runs = [];
  }

  /** Until a message comes, or a run of the embedder has waited for company long enough. */
  #sleep(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { dueAt } = this.#scheduler;
    const timer = Number.isFinite(dueAt) ? setTimeout(resolve, dueAt - clock()) : undefined;
    this.#wake = () => {
      clearTimeout(timer);
      resolve();
    };
    // What came while nobody slept woke nobody.
    if (this.#closed || this.#events.length > 0) this.#wake();
    return promise;
  }
}

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function main(): Promise<void> {
  let models: Models;
  let thread: EngineThread;
  try {
    const opened = await openRuntime(data.runtime);
    const { result, device } = await loadModelsOnDevice(opened, data);
    models = result;
    thread = new EngineThread(models);
    const { runtime, fallbackReason, runOptionsAddress } = opened;
    port.on('message', (message: ToThread) => thread.receive(message));
    send({
      type: 'ready',
      embedder: models.encoder.manifest,
      generator: models.generator.manifest,
      context: models.generator.decoder.context,
      runtime: { name: runtime.name, ...(fallbackReason === undefined ? {} : { fallbackReason }) },
      device,
      ...(runOptionsAddress === undefined ? {} : { runOptionsAddress }),
    });
  } catch (error) {
    send({ type: 'failed', error: toPlainError(error) });
    return;
  }
  await thread.serve();
  models.encoder.release();
  models.generator.decoder.release();
  port.close();
}

await main();
