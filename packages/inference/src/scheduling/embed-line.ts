/** Which texts the embedder's next run takes. */
import { type EncodedText, paddedLength } from '../encoder.ts';
import { Line } from './line.ts';
import type { EmbedTask } from './tasks.ts';

export interface EmbedLimits {
  readonly maxTexts: number;
  /** Tokens of a run, padding included; a longer text is a run of its own. */
  readonly maxTokens: number;
}

/** A task on its way through one run or several. */
export interface Embedding {
  readonly task: EmbedTask;
  readonly id: number;
  readonly order: number;
  readonly deadlineAt: number;
  readonly pending: EncodedText[];
  readonly vectors: Float32Array[];
  /** When the first of its texts went into a run. */
  startedAt?: number;
}

export interface EmbedRun {
  readonly texts: readonly { readonly embedding: Embedding; readonly text: EncodedText }[];
  /** Tokens, padding included. */
  readonly tokens: number;
}

export class EmbedLine {
  readonly #line = new Line<Embedding>();

  add(task: EmbedTask): void {
    const { id, order, deadlineAt } = task;
    this.#line.add({ task, id, order, deadlineAt, pending: [...task.texts], vectors: [] });
  }

  remove(id: number): Embedding | undefined {
    return this.#line.remove(id);
  }

  removeExpired(now: number): Embedding[] {
    return this.#line.removeExpired(now);
  }

  /**
   * When a run may start: at once if it is full or its first text has waited `waitMs`; infinity while nobody waits.
   * @returns milliseconds since the epoch
   */
  readyAt(maxTexts: number, waitMs: number): number {
    let texts = 0;
    let first = Number.POSITIVE_INFINITY;
    for (const { pending, task } of this.#line) {
      texts += pending.length;
      first = Math.min(first, task.arrivedAt);
    }
    return texts >= maxTexts ? first : first + waitMs;
  }

  /**
   * The next run: texts of one padded length, so that no vector depends on its company. The first in line decides the length and is
   * always in the run; from there each task in turn gives one text until the run is full, so that a task of many texts does not
   * keep a single question waiting. Texts that are taken no longer wait.
   */
  take(limits: EmbedLimits): EmbedRun | undefined {
    const width = paddedLength(this.#line.first?.pending[0]?.ids.length ?? 0);
    const maxTexts = Math.max(1, Math.min(limits.maxTexts, Math.floor(limits.maxTokens / Math.max(1, width))));
    const texts: { embedding: Embedding; text: EncodedText }[] = [];
    for (let found = true; found && texts.length < maxTexts; ) {
      found = false;
      for (const embedding of this.#line) {
        if (texts.length >= maxTexts) break;
        const place = embedding.pending.findIndex(({ ids }) => paddedLength(ids.length) === width);
        if (place < 0) continue;
        texts.push({ embedding, text: embedding.pending.splice(place, 1)[0]! });
        found = true;
      }
    }
    for (const { embedding } of texts) if (embedding.pending.length === 0) this.#line.remove(embedding.id);
    return texts.length === 0 ? undefined : { texts, tokens: texts.length * width };
  }
}
