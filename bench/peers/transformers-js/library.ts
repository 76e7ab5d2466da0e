/** What does the peer use of @huggingface/transformers? It is installed outside the checkout, so its own types are not at hand. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Tensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

export interface LoadOptions {
  readonly dtype: 'fp32';
  readonly device: 'cpu';
  readonly session_options: { readonly intraOpNumThreads: number };
}

export interface TextTokenizer {
  (text: string): { readonly input_ids: Tensor; readonly attention_mask: Tensor };
  decode(ids: readonly bigint[], options: { readonly skip_special_tokens: boolean }): string;
}

export interface CausalModel {
  generate(
    inputs: ReturnType<TextTokenizer> & {
      readonly max_new_tokens: number;
      readonly do_sample: false;
      readonly eos_token_id?: null;
    },
  ): Promise<Tensor>;
}

export type Extractor = (
  texts: readonly string[],
  options: { readonly pooling: 'mean'; readonly normalize: true },
) => Promise<Tensor>;

export interface TransformersLibrary {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly AutoTokenizer: { from_pretrained(name: string): Promise<TextTokenizer> };
  readonly AutoModelForCausalLM: { from_pretrained(name: string, options: LoadOptions): Promise<CausalModel> };
  pipeline(task: 'feature-extraction', name: string, options: LoadOptions): Promise<Extractor>;
}

/** @param installation folder with the `node_modules` that holds the library */
export async function openLibrary(installation: string): Promise<TransformersLibrary> {
  const require = createRequire(path.join(installation, 'package.json'));
  return (await import(pathToFileURL(require.resolve('@huggingface/transformers')).href)) as TransformersLibrary;
}
