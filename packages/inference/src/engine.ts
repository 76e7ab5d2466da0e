/** Starts the engine thread and speaks with it: the main thread's side of `Engine`. */
import { Worker } from 'node:worker_threads';
import {
  type CallOptions,
  DEFAULT_BATCHING,
  type Embeddings,
  type Engine,
  type EngineOptions,
  type GenerateOptions,
  type Generation,
  type GenerationSettings,
  type Prompt,
} from './engine-api.ts';
import {
  clock,
  type EngineEvent,
  type EngineThreadData,
  type FromThread,
  fromPlainError,
  type Ready,
  type Results,
  type ToThread,
  type Work,
} from './engine-protocol.ts';
import { CancelledError, EngineClosedError } from './errors.ts';

/** How long `close` waits for the thread to free its models before it is ended by force. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Loads both models on a thread of their own.
 * @throws ModelFolderError (a folder is missing, damaged or of the wrong kind), RuntimeError (ONNX Runtime refuses the graph),
 * DeviceError (CUDA was asked for by name and does not work)
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const { onRuns, batching, ...rest } = options;
  const data: EngineThreadData = {
    runtime: 'auto',
    device: 'cpu',
    ...rest,
    batching: { ...DEFAULT_BATCHING, ...batching },
  };
  const worker = new Worker(new URL(`./engine-thread.${extension}`, import.meta.url), {
    workerData: data,
    name: 'engine',
  });
  return new EngineClient(worker, await ready(worker), options);
}

function ready(worker: Worker): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onMessage = (message: FromThread) =>
      settle(() => {
        if (message.type === 'ready') resolve(message);
        else
          reject(message.type === 'failed' ? fromPlainError(message.error) : new Error(`unexpected ${message.type}`));
      });
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = (code: number) =>
      settle(() => reject(new EngineClosedError(`the engine thread ended with ${code} while loading`)));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

interface Pending extends Pick<GenerateOptions, 'onStart' | 'onText'> {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

class EngineClient implements Engine {
  readonly embedder: Engine['embedder'];
  readonly generator: Engine['generator'];
  readonly runtime: Engine['runtime'];
  readonly device: Engine['device'];
  readonly context: number;
  readonly slots: number;
  readonly failed: Promise<never>;
  readonly #worker: Worker;
  readonly #runOptionsAddress: bigint | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  readonly #onRuns: EngineOptions['onRuns'];
  #nextId = 0;
  #closing: Promise<void> | undefined;

  constructor(worker: Worker, ready: Ready, { slots, onRuns }: EngineOptions) {
    this.#worker = worker;
    this.#onRuns = onRuns;
    this.slots = slots;
    this.#runOptionsAddress = ready.runOptionsAddress;
    this.embedder = ready.embedder;
    this.generator = ready.generator;
    this.runtime = ready.runtime;
    this.device = ready.device;
    this.context = ready.context;
    worker.on('message', (message: FromThread) => this.#receive(message));
    const { promise: failed, reject: fail } = Promise.withResolvers<never>();
    // Whoever does not look at it must not end the process by an unhandled rejection.
    failed.catch(() => {});
    this.failed = failed;
    let cause: Error | undefined;
    worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        const reason = this.#closing
          ? 'the engine was closed'
          : `the engine thread died (exit ${code}): ${cause?.message ?? 'no error given'}`;
        const error = new EngineClosedError(reason, { cause });
        for (const { reject } of this.#pending.values()) reject(error);
        this.#pending.clear();
        if (!this.#closing) {
          this.#closing = Promise.resolve();
          fail(error);
        }
        resolve();
      });
    });
  }

  embed(texts: readonly string[], as: 'query' | 'passage', options?: CallOptions): Promise<Embeddings> {
    return this.#ask({ kind: 'embed', texts, as }, options);
  }

  generate(prompt: Prompt, settings: GenerationSettings, options?: GenerateOptions): Promise<Generation> {
    return this.#ask(
      { kind: 'generate', prompt, settings, streamed: (options?.onStart ?? options?.onText) !== undefined },
      options,
    );
  }

  countTokens(texts: readonly string[]): Promise<number[]> {
    return this.#ask({ kind: 'countTokens', texts });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#runOptionsAddress !== undefined && this.#pending.size > 0) {
      const { terminateRuns } = await import('./ort-c-api.ts');
      terminateRuns(this.#runOptionsAddress);
    }
    this.#send({ type: 'close' });
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #ask<W extends Work>(work: W, options: GenerateOptions = {}): Promise<Results[W['kind']]> {
    const { signal, deadlineAt, onStart, onText } = options;
    if (this.#closing) return Promise.reject(new EngineClosedError('the engine was closed'));
    if (signal?.aborted) return Promise.reject(new CancelledError('the request was withdrawn'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = () => {
        this.#pending.delete(id);
        this.#send({ type: 'cancel', id });
        reject(new CancelledError('the request was withdrawn'));
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', cancel);
          done(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), onStart, onText });
      this.#send({ type: 'work', id, order: options.order ?? id, sentAt: clock(), deadlineAt, work });
    });
  }

  #receive(message: FromThread): void {
    if (message.type !== 'events') return;
    for (const event of message.events) this.#take(event);
    if (message.runs.length > 0) this.#onRuns?.(message.runs);
  }

  #take(event: EngineEvent): void {
    const pending = this.#pending.get(event.id);
    // Withdrawn while its answer was on the way.
    if (pending === undefined) return;
    switch (event.kind) {
      case 'started':
        pending.onStart?.(event.start);
        break;
      case 'text':
        pending.onText?.(event.text);
        break;
      case 'done':
        this.#pending.delete(event.id);
        pending.resolve(event.result as never);
        break;
      case 'refused':
        this.#pending.delete(event.id);
        // Whatever a run says that was ended for the sake of closing, that is why.
        pending.reject(this.#closing ? new EngineClosedError('the engine was closed') : fromPlainError(event.error));
    }
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}
