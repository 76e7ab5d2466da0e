/** The port between a question with its passages and what writes the answer: the engine of the pod, or a server elsewhere. */
import type { GenerateOptions, Generation, GenerationSettings, RagPrompt } from '@ragscale/inference/engine-api';

export interface TextGenerator {
  /** Of the model, for clients. */
  readonly name: string;
  /** Answers that are generated at once. */
  readonly slots: number;
  /** Tokens of prompt and answer together. */
  readonly context: number;
  /**
   * Passages that do not fit beside the question and `maxTokens` are left out from the last.
   * @throws ContextLengthError, ServiceError, CancelledError, DeadlineError, EngineClosedError
   */
  generate(prompt: RagPrompt, settings: GenerationSettings, options?: GenerateOptions): Promise<GeneratedText>;
  /** Only its own: the engine is closed by who opened it. */
  close(): Promise<void>;
}

/** As the engine's `Generation`; a server elsewhere has counts of tokens and no ids. */
export interface GeneratedText extends Omit<Generation, 'tokens' | 'logprobs'> {
  readonly generatedTokens: number;
}
