/** What the scheduler is given to do, with everything that text needs already tokens. */
import type { EncodedText } from '../encoder.ts';
import type { GenerationState } from '../generation-state.ts';

interface Task {
  readonly id: number;
  /** Place in the line: lower goes first. */
  readonly order: number;
  /** Milliseconds since the epoch, as all times here. */
  readonly arrivedAt: number;
  /** When nobody wants the result any more; infinity where there is no deadline. */
  readonly deadlineAt: number;
}

export interface EmbedTask extends Task {
  readonly texts: readonly EncodedText[];
}

export interface GenerateTask extends Task {
  readonly state: GenerationState;
  readonly passagesUsed: number;
  /** Whether each piece of text is wanted as soon as it is known. */
  readonly streamed: boolean;
}

/** What the scheduler tells of a task. After `embedded`, `generated` or `refused` nothing more comes of it. */
export type Outcome =
  | {
      readonly kind: 'embedded';
      readonly task: EmbedTask;
      readonly vectors: Float32Array[];
      readonly times: EmbedTimes;
    }
  | { readonly kind: 'started'; readonly task: GenerateTask; readonly startedAt: number }
  | { readonly kind: 'text'; readonly task: GenerateTask; readonly text: string }
  | {
      readonly kind: 'generated';
      readonly task: GenerateTask;
      readonly cachedTokens: number;
      readonly times: GenerateTimes;
    }
  | { readonly kind: 'refused'; readonly task: EmbedTask | GenerateTask; readonly error: Error };

export interface EmbedTimes {
  /** When the first of its texts went into a run. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface GenerateTimes {
  /** When the slot was taken. */
  readonly startedAt: number;
  readonly firstTokenAt: number;
  readonly endedAt: number;
}

/** The order of work, one entry for each thing done: what tests and people read. Ids are of tasks. */
export type TraceEntry =
  | { readonly did: 'embed'; readonly ids: readonly number[]; readonly tokens: number }
  | { readonly did: 'share'; readonly id: number; readonly from: number; readonly to: number; readonly tokens: number }
  | {
      readonly did: 'prefill';
      readonly ids: readonly number[];
      readonly slot: number;
      readonly past: number;
      readonly tokens: number;
    }
  | { readonly did: 'decode'; readonly ids: readonly number[] }
  | { readonly did: 'move'; readonly id: number; readonly from: number; readonly to: number }
  | { readonly did: 'finish'; readonly id: number }
  | { readonly did: 'withdraw'; readonly id: number }
  | { readonly did: 'refuse'; readonly id: number; readonly why: string };
