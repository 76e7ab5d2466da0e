/**
 * Iteration-level scheduling: which run of a model comes next. Texts are embedded, prompts computed and tokens decoded in turn, one
 * bounded run of each at a time, so that answers join and leave between any two tokens of the others. Time and the models are arguments.
 */
import type { DecodeRow, Wanted } from '../decoder.ts';
import type { EncodedText } from '../encoder.ts';
import type { Batching } from '../engine-api.ts';
import { DeadlineError } from '../errors.ts';
import type { Candidates } from '../sampling.ts';
import { type Embedding, EmbedLine } from './embed-line.ts';
import { Line } from './line.ts';
import { Pace } from './pace.ts';
import { type Sequence, SlotTable } from './slot-table.ts';
import type { EmbedTask, GenerateTask, Outcome, TraceEntry } from './tasks.ts';

/** What the scheduler asks of the models: the verbs of `Encoder` and `Decoder`. */
export interface Verbs {
  embed(texts: readonly EncodedText[]): Promise<Float32Array[]>;
  prefill(slot: number, tokens: readonly number[], past: number, wanted: Wanted): Promise<Candidates>;
  prefillTogether(firstSlot: number, prompts: readonly (readonly number[])[], wanted: Wanted): Promise<Candidates[]>;
  decode(rows: readonly DecodeRow[], wanted: Wanted): Promise<Candidates[]>;
  move(from: number, to: number, length: number): void;
}

export interface SchedulerOptions {
  readonly slots: number;
  readonly batching: Batching;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onOutcome: (outcome: Outcome) => void;
  readonly onTrace?: (entry: TraceEntry) => void;
}

/** Tokens of a run of the embedder, padding included, while nobody waits for a next token. */
const EMBED_TOKENS = 1024;

/**
 * A prompt that shares at least this many tokens with the cache is computed behind them, which has to be done alone; one that shares
 * fewer is computed from nothing, together with others. A run by itself costs what up to 24 tokens cost (docs/decisions/0004).
 */
export const MIN_SHARED_TOKENS = 32;

const PHASES = ['embed', 'prefill', 'decode'] as const;
type Phase = (typeof PHASES)[number];

export class Scheduler {
  readonly #verbs: Verbs;
  readonly #options: SchedulerOptions;
  readonly #embeddings = new EmbedLine();
  readonly #line = new Line<GenerateTask>();
  readonly #table: SlotTable;
  readonly #pace = new Pace();
  /** Withdrawn while they had a slot: they leave before the next run. */
  readonly #withdrawn = new Set<number>();
  #next = 0;

  constructor(verbs: Verbs, options: SchedulerOptions) {
    this.#verbs = verbs;
    this.#options = options;
    this.#table = new SlotTable(options.slots);
  }

  embed(task: EmbedTask): void {
    this.#embeddings.add(task);
  }

  generate(task: GenerateTask): void {
    this.#line.add(task);
  }

  /** Takes a task out of its line at once, or out of its slot before the next run. No outcome follows. */
  withdraw(id: number): void {
    if (this.#embeddings.remove(id) ?? this.#line.remove(id)) this.#trace({ did: 'withdraw', id });
    else if (this.#sequences().some(({ task }) => task.id === id)) this.#withdrawn.add(id);
  }

  /**
   * When there is something to do: a time that has passed means now, infinity means not before a task comes.
   * @returns milliseconds since the epoch
   */
  get dueAt(): number {
    if (this.#table.taken > 0 || this.#line.length > 0) return 0;
    return this.#embeddings.readyAt(this.#options.batching.maxEmbedTexts, this.#options.batching.embedWaitMs);
  }

  /**
   * Does the next run: of the embedder, of a prompt or of a decode step, in turn, passing over those with nothing to do.
   * @returns what ran and for how many, or undefined when there was nothing to do
   */
  async run(): Promise<{ readonly stage: Phase; readonly size: number } | undefined> {
    this.#dropLate();
    this.#dropWithdrawn();
    for (let tried = 0; tried < PHASES.length; tried++) {
      const stage = PHASES[this.#next]!;
      this.#next = (this.#next + 1) % PHASES.length;
      const size = await this.#runPhase(stage);
      if (size > 0) return { stage, size };
    }
    return undefined;
  }

  #runPhase(phase: Phase): Promise<number> {
    switch (phase) {
      case 'embed':
        return this.#embedRun();
      case 'prefill':
        return this.#table.prefilling === undefined ? this.#admit() : this.#continuePrefill(this.#table.prefilling);
      case 'decode':
        return this.#decodeRun();
    }
  }

  async #embedRun(): Promise<number> {
    const { now, batching } = this.#options;
    if (this.#embeddings.readyAt(batching.maxEmbedTexts, batching.embedWaitMs) > now()) return 0;
    // While answers are generated, their next tokens wait for this run as they do for a prompt.
    const maxTokens = this.#table.taken > 0 ? Math.min(EMBED_TOKENS, batching.prefillTokens) : EMBED_TOKENS;
    const run = this.#embeddings.take({ maxTexts: batching.maxEmbedTexts, maxTokens });
    if (run === undefined) return 0;
    const startedAt = now();
    const tasks = new Set(run.texts.map(({ embedding }) => embedding));
    this.#trace({ did: 'embed', ids: [...tasks].map(({ id }) => id), tokens: run.tokens });
    try {
      const vectors = await this.#verbs.embed(run.texts.map(({ text }) => text));
      run.texts.forEach(({ embedding, text }, row) => {
        embedding.startedAt ??= startedAt;
        embedding.vectors[text.index] = vectors[row]!;
      });
      for (const embedding of tasks) this.#finishIfEmbedded(embedding);
    } catch (error) {
      for (const { id, task } of tasks) {
        this.#embeddings.remove(id);
        this.#refuse(task, error as Error);
      }
    }
    return run.texts.length;
  }

  #finishIfEmbedded({ task, pending, vectors, startedAt }: Embedding): void {
    if (pending.length > 0) return;
    const times = { startedAt: startedAt!, endedAt: this.#options.now() };
    this.#options.onOutcome({ kind: 'embedded', task, vectors, times });
    this.#trace({ did: 'finish', id: task.id });
  }

  /** Gives free slots to the first in line: to several whose prompts go through one run, or to one that runs alone. */
  async #admit(): Promise<number> {
    const group = this.#nextGroup();
    if (group.length === 0) return 0;
    const startedAt = this.#options.now();
    const first = this.#table.decoding.length;
    const sequences = group.map(({ task, shared }, index): Sequence => {
      this.#line.remove(task.id);
      this.#options.onOutcome({ kind: 'started', task, startedAt });
      return { task, startedAt, cachedTokens: shared.tokens, slot: first + index, computed: 0, firstTokenAt: 0 };
    });
    if (sequences.length > 1) return this.#prefillTogether(sequences);
    const [sequence] = sequences as [Sequence];
    const { slot: from, tokens } = group[0]!.shared;
    if (tokens > 0) {
      if (from !== sequence.slot) this.#verbs.move(from, sequence.slot, tokens);
      this.#trace({ did: 'share', id: sequence.task.id, from, to: sequence.slot, tokens });
    }
    this.#table.filled(sequence, tokens);
    this.#table.beginPrefill(sequence);
    return this.#continuePrefill(sequence);
  }

  /** The first in line, and those behind it whose prompts fit into one run with its own; what cannot be in time is refused. */
  #nextGroup(): { readonly task: GenerateTask; readonly shared: { slot: number; tokens: number } }[] {
    const group: { task: GenerateTask; shared: { slot: number; tokens: number } }[] = [];
    let longest = 0;
    for (const task of [...this.#line]) {
      if (group.length >= this.#table.free) break;
      const shared = this.#sharedPrefix(task);
      const length = task.state.promptIds.length;
      if (this.#refuseIfLate(task, length - shared.tokens, 1)) continue;
      const alone = shared.tokens > 0 || length > this.#options.batching.prefillTokens;
      longest = Math.max(longest, length);
      const fits = (group.length + 1) * longest <= this.#options.batching.prefillTokens;
      if (group.length > 0 && (alone || !fits)) break;
      group.push({ task, shared });
      if (alone) break;
    }
    return group;
  }

  #sharedPrefix(task: GenerateTask): { slot: number; tokens: number } {
    const none = { slot: 0, tokens: 0 };
    if (!this.#options.batching.sharePrefixes) return none;
    const found = this.#table.longestPrefix(task.state.promptIds);
    return found.tokens >= MIN_SHARED_TOKENS ? found : none;
  }

  async #prefillTogether(sequences: readonly Sequence[]): Promise<number> {
    const prompts = sequences.map(({ task }) => task.state.promptIds);
    const slot = sequences[0]!.slot;
    const tokens = Math.max(...prompts.map((prompt) => prompt.length)) * prompts.length;
    this.#trace({ did: 'prefill', ids: sequences.map(({ task }) => task.id), slot, past: 0, tokens });
    try {
      const startedAt = this.#options.now();
      const rows = await this.#verbs.prefillTogether(slot, prompts, wantedOfAll(sequences));
      this.#pace.prefilled(tokens, this.#options.now() - startedAt);
      for (const sequence of sequences) {
        this.#table.filled(sequence, sequence.task.state.promptIds.length);
        this.#table.join(sequence);
      }
      this.#advance(sequences, rows);
    } catch (error) {
      this.#fail(sequences, error as Error);
    }
    return sequences.length;
  }

  /** Computes the next chunk of the one prompt that is prefilling. */
  async #continuePrefill(sequence: Sequence): Promise<number> {
    const { task, slot, computed: past } = sequence;
    const { promptIds, wanted } = task.state;
    if (this.#refuseIfLate(task, promptIds.length - past, 1)) {
      this.#table.leave(sequence);
      return 0;
    }
    const chunk = promptIds.slice(past, past + this.#options.batching.prefillTokens);
    this.#trace({ did: 'prefill', ids: [task.id], slot, past, tokens: chunk.length });
    try {
      const startedAt = this.#options.now();
      const row = await this.#verbs.prefill(slot, chunk, past, wanted);
      this.#pace.prefilled(chunk.length, this.#options.now() - startedAt);
      this.#table.filled(sequence, past + chunk.length);
      if (sequence.computed === promptIds.length) {
        const from = this.#table.join(sequence);
        if (from !== undefined) this.#moved(sequence, from);
        this.#advance([sequence], [row]);
      }
    } catch (error) {
      this.#fail([sequence], error as Error);
    }
    return 1;
  }

  async #decodeRun(): Promise<number> {
    const sequences = [...this.#table.decoding];
    if (sequences.length === 0) return 0;
    const states = sequences.map(({ task }) => task.state);
    this.#trace({ did: 'decode', ids: sequences.map(({ task }) => task.id) });
    try {
      const startedAt = this.#options.now();
      const inputs = states.map(({ lastToken, length }) => ({ token: lastToken, length }));
      const rows = await this.#verbs.decode(inputs, wantedOfAll(sequences));
      this.#pace.decoded(this.#options.now() - startedAt);
      this.#table.decoded(inputs.map(({ token }) => token));
      this.#advance(sequences, rows);
    } catch (error) {
      this.#fail(sequences, error as Error);
    }
    return sequences.length;
  }

  /** The next token of each row: tells its text, and ends the answers that it was the last token of. */
  #advance(sequences: readonly Sequence[], rows: readonly Candidates[]): void {
    const ended: Sequence[] = [];
    sequences.forEach((sequence, row) => {
      const { task } = sequence;
      if (sequence.firstTokenAt === 0) sequence.firstTokenAt = this.#options.now();
      try {
        const text = task.state.advance(rows[row]!);
        if (task.streamed && text !== '') this.#options.onOutcome({ kind: 'text', task, text });
        if (!task.state.finished) return;
        this.#finish(sequence);
      } catch (error) {
        // One answer's fault is not its neighbours'.
        this.#refuse(task, error as Error);
      }
      ended.push(sequence);
    });
    // From the last row on, so that no row is moved that leaves itself.
    for (const sequence of ended.toReversed()) this.#leave(sequence);
  }

  #finish({ task, startedAt, firstTokenAt, cachedTokens }: Sequence): void {
    const times = { startedAt, firstTokenAt, endedAt: this.#options.now() };
    this.#options.onOutcome({ kind: 'generated', task, cachedTokens, times });
    this.#trace({ did: 'finish', id: task.id });
  }

  #leave(sequence: Sequence): void {
    const after = this.#table.leave(sequence);
    if (after !== undefined) this.#moved(after.moved, after.from);
  }

  #moved({ task, slot }: Sequence, from: number): void {
    this.#verbs.move(from, slot, this.#table.held(slot));
    this.#trace({ did: 'move', id: task.id, from, to: slot });
  }

  /** A run failed: those that were in it are refused, and what their slots hold is not known any more. */
  #fail(sequences: readonly Sequence[], error: Error): void {
    const slots = sequences.map(({ slot }) => slot);
    for (const sequence of sequences.toReversed()) {
      if (this.#sequences().includes(sequence)) this.#table.leave(sequence);
      this.#refuse(sequence.task, error);
    }
    for (const slot of slots) this.#table.forget(slot);
  }

  #dropLate(): void {
    const now = this.#options.now();
    for (const { task } of this.#embeddings.removeExpired(now)) this.#refuse(task, late());
    for (const task of this.#line.removeExpired(now)) this.#refuse(task, late());
    for (const sequence of this.#sequences()) {
      const { task } = sequence;
      const steps = sequence.firstTokenAt === 0 ? 1 : task.state.leastSteps;
      if (this.#refuseIfLate(task, 0, steps)) this.#leave(sequence);
    }
  }

  #dropWithdrawn(): void {
    if (this.#withdrawn.size === 0) return;
    for (const sequence of this.#sequences()) {
      const { id } = sequence.task;
      if (!this.#withdrawn.has(id)) continue;
      this.#leave(sequence);
      this.#trace({ did: 'withdraw', id });
    }
    this.#withdrawn.clear();
  }

  /** Refuses a task, wherever it is, that cannot be done by its deadline even if all goes as fast as it ever went. */
  #refuseIfLate(task: GenerateTask, promptTokens: number, steps: number): boolean {
    if (task.deadlineAt === Number.POSITIVE_INFINITY) return false;
    if (this.#options.now() + this.#pace.leastMs(promptTokens, steps) <= task.deadlineAt) return false;
    this.#line.remove(task.id);
    this.#refuse(task, late());
    return true;
  }

  #refuse(task: EmbedTask | GenerateTask, error: Error): void {
    this.#options.onOutcome({ kind: 'refused', task, error });
    this.#trace({ did: 'refuse', id: task.id, why: error.name });
  }

  #sequences(): Sequence[] {
    const { prefilling, decoding } = this.#table;
    return prefilling === undefined ? [...decoding] : [...decoding, prefilling];
  }

  #trace(entry: TraceEntry): void {
    this.#options.onTrace?.(entry);
  }
}

/** What a run must find so that every row gets what it asks for. */
function wantedOfAll(sequences: readonly Sequence[]): Wanted {
  const each = sequences.map(({ task }) => task.state.wanted);
  return {
    candidates: Math.max(...each.map(({ candidates }) => candidates)),
    logits: each.some(({ logits }) => logits),
  };
}

function late(): Error {
  return new DeadlineError('the deadline passes before this can be done');
}
