/** How does the transformers.js peer embed, retrieve and generate? One question at a time, float32, on onnxruntime-node. */
import { readFileSync } from 'node:fs';
import type { CausalModel, Extractor, TextTokenizer, TransformersLibrary } from './library.ts';

const EMBEDDING_BATCH = 32;

export interface Question {
  readonly query: string;
  readonly k?: number;
  readonly max_tokens?: number;
  readonly ignore_eos?: boolean;
}

export interface Passage {
  readonly id: string;
  readonly text: string;
}

export class RagModels {
  readonly #tokenizer: TextTokenizer;
  readonly #generator: CausalModel;
  readonly #extract: Extractor;
  readonly #passages: readonly Passage[];
  readonly #vectors: Float32Array[] = [];

  private constructor(
    tokenizer: TextTokenizer,
    generator: CausalModel,
    extract: Extractor,
    passages: readonly Passage[],
  ) {
    this.#tokenizer = tokenizer;
    this.#generator = generator;
    this.#extract = extract;
    this.#passages = passages;
  }

  /** @param documents a .jsonl file, each line one passage */
  static async load(library: TransformersLibrary, documents: string, threads: number): Promise<RagModels> {
    const options = { dtype: 'fp32', device: 'cpu', session_options: { intraOpNumThreads: threads } } as const;
    const passages = readFileSync(documents, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Passage);
    const models = new RagModels(
      await library.AutoTokenizer.from_pretrained('generator'),
      await library.AutoModelForCausalLM.from_pretrained('generator', options),
      await library.pipeline('feature-extraction', 'embedder', options),
      passages,
    );
    for (let i = 0; i < passages.length; i += EMBEDDING_BATCH) {
      models.#vectors.push(...(await models.#embed(passages.slice(i, i + EMBEDDING_BATCH).map(({ text }) => text))));
    }
    return models;
  }

  async answer({ query, k = 2, max_tokens = 64, ignore_eos = false }: Question): Promise<object> {
    const [vector] = await this.#embed([query]);
    const sources = this.#nearest(vector!, k);
    const prompt = `Question: ${query}\nContext:\n${sources.map(({ text }) => text).join('\n')}\nAnswer:`;
    const inputs = this.#tokenizer(prompt);
    const promptTokens = inputs.input_ids.dims[1]!;
    const { data } = await this.#generator.generate({
      ...inputs,
      max_new_tokens: max_tokens,
      do_sample: false,
      ...(ignore_eos ? { eos_token_id: null } : {}),
    });
    const tokens = Array.from(data, BigInt).slice(promptTokens);
    return {
      query,
      result: this.#tokenizer.decode(tokens, { skip_special_tokens: true }).trim(),
      sources,
      usage: { prompt_tokens: promptTokens, completion_tokens: tokens.length },
    };
  }

  async #embed(texts: readonly string[]): Promise<Float32Array[]> {
    const { data, dims } = await this.#extract(texts, { pooling: 'mean', normalize: true });
    const width = dims[1]!;
    const vectors = Float32Array.from(data, Number);
    return texts.map((_, row) => vectors.subarray(row * width, (row + 1) * width));
  }

  #nearest(query: Float32Array, k: number): (Passage & { score: number })[] {
    const scores = this.#vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * query[i]!, 0));
    const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
    return order.slice(0, k).map((i) => ({ ...this.#passages[i]!, score: scores[i]! }));
  }
}
