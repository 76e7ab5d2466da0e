/** How does the engine of the pod write answers? */
import type { Engine, GenerateOptions, GenerationSettings, RagPrompt } from '@ragscale/inference/engine-api';
import type { GeneratedText, TextGenerator } from './text-generator.ts';

export class EngineGenerator implements TextGenerator {
  readonly #engine: Pick<Engine, 'generate' | 'generator' | 'context' | 'slots'>;

  constructor(engine: Pick<Engine, 'generate' | 'generator' | 'context' | 'slots'>) {
    this.#engine = engine;
  }

  get name(): string {
    return this.#engine.generator.name;
  }

  get slots(): number {
    return this.#engine.slots;
  }

  get context(): number {
    return this.#engine.context;
  }

  async generate(prompt: RagPrompt, settings: GenerationSettings, options?: GenerateOptions): Promise<GeneratedText> {
    const { tokens, ...generation } = await this.#engine.generate(prompt, settings, options);
    return { ...generation, generatedTokens: tokens.length };
  }

  async close(): Promise<void> {}
}
