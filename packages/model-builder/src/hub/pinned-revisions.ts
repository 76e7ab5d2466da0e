/** Which commit of a known model is pulled when none is named? One that was looked at: what is pulled does not change by itself. */

export const PINNED_REVISIONS: Readonly<Record<string, string>> = {
  'sentence-transformers/all-MiniLM-L6-v2': 'c9745ed1d9f207416be6d2e6f8de32d1f16199bf',
  'intfloat/multilingual-e5-large-instruct': '274baa43b0e13e37fafa6428dbc7938e62e5c439',
  'facebook/opt-125m': '27dcfa74d334bc871f3234de431e71c6eeba5dd6',
  'Qwen/Qwen2.5-1.5B-Instruct': '989aa7980e4cf806f80c7fef2b1adb7bc71aa306',
};

/** Of every other model: the branch that the hub calls by default. */
export const DEFAULT_REVISION = 'main';
