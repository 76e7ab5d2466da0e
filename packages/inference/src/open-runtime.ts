/** Which runtime serves: the C API where its library opens, the ordinary binding elsewhere. */
import type { RuntimeChoice } from './engine-api.ts';
import type { Runtime } from './runtime.ts';

export interface OpenedRuntime {
  readonly runtime: Runtime;
  /** Why `auto` did not take the C API. */
  readonly fallbackReason?: string;
  /** For ending a run from another thread; only the C API can. */
  readonly runOptionsAddress?: bigint;
}

/**
 * The adapters are imported on demand: koffi is a native add-on too, and may be what is missing.
 * @throws RuntimeError when `c-api` is asked for by name and cannot be opened
 */
export async function openRuntime(choice: RuntimeChoice): Promise<OpenedRuntime> {
  if (choice !== 'node-api') {
    try {
      const { OrtCApi } = await import('./ort-c-api.ts');
      const runtime = new OrtCApi();
      return { runtime, runOptionsAddress: runtime.runOptionsAddress };
    } catch (error) {
      if (choice === 'c-api') throw error;
      const { OrtNodeApi } = await import('./ort-node-api.ts');
      return { runtime: new OrtNodeApi(), fallbackReason: (error as Error).message };
    }
  }
  const { OrtNodeApi } = await import('./ort-node-api.ts');
  return { runtime: new OrtNodeApi() };
}
