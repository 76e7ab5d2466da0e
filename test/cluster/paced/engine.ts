/** An engine whose answers take a given time and no processor. The scheduler is the real one; behind its verbs there are no models, only a pace. */
import {
  type CallOptions,
  DEFAULT_BATCHING,
  type Embeddings,
  type Engine,
  type EngineOptions,
  type GenerateOptions,
  type Generation,
  type GenerationSettings,
  type ModelRun,
  type Prompt,
} from '@ragscale/inference/engine-api';
import { clock } from '@ragscale/inference/engine-protocol';
import { eventOf } from '@ragscale/inference/engine-work';
import { CancelledError, EngineClosedError } from '@ragscale/inference/errors';
import { GenerationState } from '@ragscale/inference/generation-state';
import { Scheduler } from '@ragscale/inference/scheduling/scheduler';
import type { Outcome } from '@ragscale/inference/scheduling/tasks';
import { EMBEDDER, GENERATOR } from './manifests.ts';
import { Pace, type PaceOptions } from './pace.ts';

/** Whatever is asked, this is the next token; an answer ends when it has all that may be in it. */
const TOKEN = { ids: BigInt64Array.of(0n), values: Float32Array.of(0), logits: Float32Array.of(0) };
const WORD = ' word';

interface Pending extends Pick<GenerateOptions, 'onStart' | 'onText'> {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export interface Paces extends Pick<PaceOptions, 'curve'> {
  /** A token of an answer that has the pod for itself, in milliseconds. */
  readonly tokenMs: number;
  /** Tokens of each answer that one step computes: with fewer steps many pods fit on a machine. An answer is rounded to whole steps. */
  readonly stride: number;
}

export class PacedEngine implements Engine {
  readonly embedder = EMBEDDER;
  readonly generator = GENERATOR;
  readonly runtime = { name: 'c-api' } as const;
  readonly device = { name: 'cpu', requested: 'cpu' } as const;
  readonly context: number;
  readonly slots: number;
  /** There is no thread that could die. */
  readonly failed = new Promise<never>(() => {});
  readonly #scheduler: Scheduler;
  readonly #pace: Pace;
  readonly #stride: number;
  readonly #onRuns: (runs: readonly ModelRun[]) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #served: Promise<void>;
  #nextId = 0;
  #closed = false;
  #wake: () => void = () => {};

  constructor(
    { slots, context, batching, onRuns }: Pick<EngineOptions, 'slots' | 'context' | 'batching' | 'onRuns'>,
    { tokenMs, curve, stride }: Paces,
  ) {
    this.slots = slots;
    this.context = context ?? GENERATOR.dimensions.maxTokens;
    this.#onRuns = onRuns ?? (() => {});
    this.#stride = stride;
    this.#pace = new Pace({ stepMs: tokenMs * stride, curve, slots, now: clock });
    this.#scheduler = new Scheduler(
      {
        embed: async (texts) => texts.map(() => Float32Array.of(1, 0)),
        // A first token is as much work as any other. Its answer joins those in the slots before its own.
        prefill: (slot) => this.#pace.step(1, slot + 1).then(() => TOKEN),
        prefillTogether: (slot, prompts) =>
          this.#pace.step(prompts.length, slot + prompts.length).then(() => prompts.map(() => TOKEN)),
        decode: (rows) => this.#pace.step(rows.length, rows.length).then(() => rows.map(() => TOKEN)),
        move: () => {},
      },
      {
        slots,
        // All prompts are the same one token: shared, they would be computed one by one.
        batching: { ...DEFAULT_BATCHING, ...batching, sharePrefixes: false },
        now: clock,
        onOutcome: (outcome) => this.#told(outcome),
      },
    );
    this.#served = this.#serve();
  }

  embed(texts: readonly string[], _as: 'query' | 'passage', options: CallOptions = {}): Promise<Embeddings> {
    return this.#ask(options, (task) =>
      this.#scheduler.embed({ ...task, texts: texts.map((_, index) => ({ index, ids: [0] })) }),
    );
  }

  async generate(prompt: Prompt, settings: GenerationSettings, options: GenerateOptions = {}): Promise<Generation> {
    const { maxTokens } = settings;
    const stride = this.#stride;
    const generated = await this.#ask<Generation>(options, (task) =>
      this.#scheduler.generate({
        ...task,
        state: new GenerationState({
          promptIds: [0],
          settings: { ...settings, maxTokens: Math.max(1, Math.round(maxTokens / stride)) },
          eos: [],
          vocabulary: TOKEN.logits.length,
          decode: (ids) => WORD.repeat(ids.length * stride),
        }),
        passagesUsed: 'text' in prompt ? 0 : prompt.passages.length,
        streamed: (options.onStart ?? options.onText) !== undefined,
      }),
    );
    const tokens = Math.min(maxTokens, stride * generated.tokens.length);
    return { ...generated, tokens: new Array<number>(tokens).fill(0) };
  }

  async countTokens(texts: readonly string[]): Promise<number[]> {
    return texts.map((text) => text.split(/\s+/).length);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#pending.values()) reject(new EngineClosedError('the engine was closed'));
    this.#pending.clear();
    this.#wake();
    return this.#served;
  }

  #ask<Result>(
    { signal, deadlineAt = Number.POSITIVE_INFINITY, order, onStart, onText }: GenerateOptions,
    give: (task: { id: number; order: number; arrivedAt: number; deadlineAt: number }) => void,
  ): Promise<Result> {
    if (this.#closed) return Promise.reject(new EngineClosedError('the engine was closed'));
    if (signal?.aborted) return Promise.reject(new CancelledError('the request was withdrawn'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const withdraw = () => {
        this.#pending.delete(id);
        this.#scheduler.withdraw(id);
        reject(new CancelledError('the request was withdrawn'));
      };
      signal?.addEventListener('abort', withdraw, { once: true });
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', withdraw);
          done(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), onStart, onText });
      give({ id, order: order ?? id, arrivedAt: clock(), deadlineAt });
      this.#wake();
    });
  }

  async #serve(): Promise<void> {
    while (!this.#closed) {
      const run = await this.#scheduler.run();
      if (run !== undefined) this.#onRuns([run]);
      else await this.#sleep();
    }
  }

  #sleep(): Promise<void> {
    this.#pace.idle();
    return new Promise((resolve) => {
      const { dueAt } = this.#scheduler;
      // A run of the embedder may wait for company.
      const timer = Number.isFinite(dueAt) ? setTimeout(resolve, dueAt - clock()) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #told(outcome: Outcome): void {
    const event = eventOf(outcome);
    const pending = this.#pending.get(event.id);
    if (pending === undefined) return;
    if (event.kind === 'started') pending.onStart?.(event.start);
    else if (event.kind === 'text') pending.onText?.(event.text);
    else {
      this.#pending.delete(event.id);
      if (event.kind === 'done') pending.resolve(event.result as never);
      else pending.reject(outcome.kind === 'refused' ? outcome.error : new Error(event.error.message));
    }
  }
}
