/** How does a server elsewhere write answers: as many at once as there are slots, tried again until the first token, followed to the last? */
import type { GenerateOptions, GenerationSettings, RagPrompt } from '@ragscale/inference/engine-api';
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import type { GeneratedText, TextGenerator } from '../text-generator.ts';
import { COMPLETION_APIS, type CompletionApi, settingsFields, type Usage } from './completion-api.ts';
import { answerTo, GeneratorFailure } from './failures.ts';
import { Permits } from './permits.ts';
import type { Server } from './server.ts';

/** Attempts for one answer; more would be load for a server that has too much. */
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 250;
/** Who is told to wait for longer is better told to come again: meanwhile others could have the slot. */
const LONGEST_PAUSE_MS = 5_000;
/** Of an answer's text, in UTF-16 code units: more than any model writes at once. */
const MAX_TEXT_LENGTH = 1 << 23;

export interface ElsewhereGeneratorParts {
  readonly server: Server;
  readonly endpoint: keyof typeof COMPLETION_APIS;
  readonly model: string;
  readonly slots: number;
  readonly context: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

const NEVER = new AbortController().signal;

export class ElsewhereGenerator implements TextGenerator {
  readonly name: string;
  readonly slots: number;
  readonly context: number;
  readonly #parts: ElsewhereGeneratorParts;
  readonly #api: CompletionApi;
  readonly #permits: Permits;

  constructor(parts: ElsewhereGeneratorParts) {
    const { model, slots, context, endpoint } = parts;
    this.name = model;
    this.slots = slots;
    this.context = context;
    this.#parts = parts;
    this.#api = COMPLETION_APIS[endpoint];
    this.#permits = new Permits(slots);
  }

  async generate(
    prompt: RagPrompt,
    settings: GenerationSettings,
    options: GenerateOptions = {},
  ): Promise<GeneratedText> {
    const askedAt = performance.now();
    const write = async (): Promise<GeneratedText> => {
      const queueMs = performance.now() - askedAt;
      return this.#writeWhatFits(prompt, new Writing(settings, options, queueMs));
    };
    try {
      return await this.#permits.with(write, options.signal, options.order);
    } catch (error) {
      if (!(error instanceof GeneratorFailure)) throw error;
      this.#parts.logger.warn({ kind: error.kind, reason: error.message }, 'the generator elsewhere failed');
      throw answerTo(error);
    }
  }

  close(): Promise<void> {
    return this.#parts.server.close();
  }

  /** Only the server can count its tokens: what it refuses is tried with half of the passages. */
  async #writeWhatFits(prompt: RagPrompt, writing: Writing): Promise<GeneratedText> {
    for (let passages = prompt.passages; ; passages = passages.slice(0, passages.length >> 1)) {
      try {
        return await this.#writeInTheEnd({ ...prompt, passages }, writing);
      } catch (error) {
        const isTooLong = error instanceof GeneratorFailure && error.kind === 'too-long';
        if (!isTooLong || passages.length === 0) throw error;
      }
    }
  }

  async #writeInTheEnd(prompt: RagPrompt, writing: Writing): Promise<GeneratedText> {
    const { logger, clock } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#write(prompt, writing);
      } catch (error) {
        const pauseMs = this.#pauseAfter(error, attempt, writing);
        if (pauseMs === undefined) throw error;
        const { kind, message } = error as GeneratorFailure;
        logger.info({ kind, reason: message, attempt, pauseMs: Math.round(pauseMs) }, 'the generator is asked again');
        await clock.sleep(pauseMs, writing.signal);
        writing.signal.throwIfAborted();
      }
    }
  }

  /** @returns undefined where there is to be no other attempt */
  #pauseAfter(error: unknown, attempt: number, { hasBegun, deadlineAt }: Writing): number | undefined {
    if (!(error instanceof GeneratorFailure) || !error.passes || hasBegun || attempt >= ATTEMPTS) return undefined;
    const ownMs = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + this.#parts.random() / 2);
    const pauseMs = Math.max(ownMs, error.retryAfterMs ?? 0);
    const isInTime = performance.timeOrigin + performance.now() + pauseMs < deadlineAt;
    return pauseMs <= LONGEST_PAUSE_MS && isInTime ? pauseMs : undefined;
  }

  async #write(prompt: RagPrompt, writing: Writing): Promise<GeneratedText> {
    const { server, model } = this.#parts;
    const body = { model, ...this.#api.promptOf(prompt), ...settingsFields(writing.settings) };
    const startedAt = performance.now();
    const answer = new PartialAnswer(startedAt);
    for await (const { text, finishReason, usage } of server.stream(this.#api.path, body, writing.signal)) {
      if (text !== '') {
        answer.add(text);
        writing.begin(prompt);
        writing.tell(text);
      }
      answer.finishReason ??= finishReason;
      answer.usage = usage ?? answer.usage;
    }
    const written = answer.finish();
    writing.begin(prompt);
    const { promptTokens, generatedTokens, cachedTokens } = written.usage;
    return {
      text: written.text,
      finishReason: written.finishReason,
      passagesUsed: prompt.passages.length,
      promptTokens,
      generatedTokens,
      cachedTokens,
      timing: { queueMs: writing.queueMs, prefillMs: written.prefillMs, decodeMs: written.decodeMs },
    };
  }
}

/** One answer for one caller, however many attempts it takes. */
class Writing {
  readonly settings: GenerationSettings;
  readonly signal: AbortSignal;
  readonly deadlineAt: number;
  readonly queueMs: number;
  readonly #options: GenerateOptions;
  #hasBegun = false;

  constructor(settings: GenerationSettings, options: GenerateOptions, queueMs: number) {
    this.settings = settings;
    this.signal = options.signal ?? NEVER;
    this.deadlineAt = options.deadlineAt ?? Number.POSITIVE_INFINITY;
    this.queueMs = queueMs;
    this.#options = options;
  }

  /** The caller has something of it: from here on there is no other attempt. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The prompt is taken. How many tokens it has is told at the end only. */
  begin({ passages }: RagPrompt): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#options.onStart?.({ queueMs: this.queueMs, promptTokens: 0, passagesUsed: passages.length });
  }

  tell(text: string): void {
    this.#options.onText?.(text);
  }
}

/** What one attempt has brought so far. */
class PartialAnswer {
  finishReason: 'stop' | 'length' | undefined;
  usage: Usage | undefined;
  readonly #startedAt: number;
  readonly #pieces: string[] = [];
  #length = 0;
  #firstAt: number | undefined;

  /** @param startedAt by `performance.now` */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** @throws GeneratorFailure */
  add(text: string): void {
    this.#firstAt ??= performance.now();
    this.#length += text.length;
    if (this.#length > MAX_TEXT_LENGTH)
      throw new GeneratorFailure('garbled', `an answer is longer than ${MAX_TEXT_LENGTH} characters`);
    this.#pieces.push(text);
  }

  /** @throws GeneratorFailure when the stream ended without saying why */
  finish() {
    if (this.finishReason === undefined) throw new GeneratorFailure('broken', 'the stream ended in the middle');
    const now = performance.now();
    const firstAt = this.#firstAt ?? now;
    return {
      text: this.#pieces.join(''),
      finishReason: this.finishReason,
      // A piece is a token with most servers, and there is nothing else to count.
      usage: this.usage ?? { promptTokens: 0, generatedTokens: this.#pieces.length, cachedTokens: 0 },
      prefillMs: firstAt - this.#startedAt,
      decodeMs: now - firstAt,
    };
  }
}
