/** Which architectures can be built? */
import { BuildError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import { bert, xlmRoberta } from './bert.ts';
import { llama, qwen2 } from './llama.ts';
import { opt } from './opt.ts';

const KNOWN: readonly Architecture[] = [bert, xlmRoberta, opt, qwen2, llama];

/** @throws BuildError naming `configFile` when there is none for the model type */
export function architectureOf(modelType: string, configFile: string): Architecture {
  const found = KNOWN.find((architecture) => architecture.modelType === modelType);
  if (found !== undefined) return found;
  const known = KNOWN.map((architecture) => architecture.modelType).join(', ');
  throw new BuildError(`${configFile}: model_type '${modelType}' is not supported (known: ${known})`);
}
