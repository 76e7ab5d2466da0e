/** The port between the HTTP edge and a way of answering: what every variant of the pod offers. */
import type { GenerationSettings } from '@ragscale/inference/engine-api';
import type { AnswerMeasures } from '@ragscale/service/pod-metrics';

export interface Question {
  readonly query: string;
  /** Passages to look for. */
  readonly k: number;
  readonly settings: GenerationSettings;
}

export interface Source {
  readonly id: string;
  /** Cosine of question and passage. */
  readonly score: number;
  readonly text: string;
}

export interface Answer extends AnswerMeasures {
  readonly text: string;
  /** The passages that went into the prompt, best first. */
  readonly sources: readonly Source[];
  readonly finishReason: 'stop' | 'length';
}

export interface Answerer {
  /** Questions that are answered at once. */
  readonly slots: number;
  /** Tokens of prompt and answer together. */
  readonly context: number;
  /** @throws ContextLengthError, EngineClosedError, and the signal's reason when it aborts */
  answer(question: Question, signal: AbortSignal): Promise<Answer>;
}
