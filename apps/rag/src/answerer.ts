/** The port between the HTTP edge and a way of answering: what every variant of the pod offers. */
import type { Embeddings, GenerationSettings, Turn } from '@ragscale/inference/engine-api';
import type { AnswerMeasures, StageTimes } from '@ragscale/service/pod-metrics';
import type { StageSpan } from '@ragscale/service/tracing';

export interface Question {
  /** What passages are looked for with, and what the answer is to. */
  readonly query: string;
  /** Passages to look for. */
  readonly k: number;
  readonly settings: GenerationSettings;
  /** The system message of a conversation. */
  readonly instructions?: string | undefined;
  /** What was asked and answered before, oldest first. */
  readonly turns?: readonly Turn[] | undefined;
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
  /** Tokens of the prompt that were shared with another's and not computed. */
  readonly cachedTokens: number;
  /** When each stage was, in order; `queue` twice: before the embedding, and before the slot. */
  readonly timeline: readonly StageSpan[];
}

/** Hears of an answer while it is made: once of its sources, then of each piece of its text. */
export interface AnswerListener {
  /** @param stages what is behind the answer by then, in milliseconds: it leaves in the head of the stream */
  onSources(
    sources: readonly Source[],
    promptTokens: number,
    stages: Pick<StageTimes, 'queue' | 'embed' | 'retrieve'>,
  ): void;
  /** Pieces are never empty; together they are `Answer.text`. */
  onText(piece: string): void;
}

/** How long a request is worth working for. */
export interface Call {
  /** Aborts with a ServiceError or ClientGoneError as its reason. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch; the signal aborts then. */
  readonly deadlineAt: number;
}

export interface Answerer {
  /** Questions that are answered at once. */
  readonly slots: number;
  /** Tokens of prompt and answer together. */
  readonly context: number;
  /** @throws ServiceError queue_full, ContextLengthError, EngineClosedError, and the signal's reason when it aborts */
  answer(question: Question, call: Call, listener?: AnswerListener): Promise<Answer>;
  /** Vectors for texts of a client's own. @throws as `answer` */
  embed(texts: readonly string[], as: 'query' | 'passage', call: Call): Promise<Embeddings>;
}
