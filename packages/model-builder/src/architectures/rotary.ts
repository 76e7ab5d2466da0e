/** By which angle is each half pair of a head turned at each position (RoPE, arXiv 2104.09864), and what may a configuration say of it? */
import { z } from 'zod';
import { BuildError } from '../errors.ts';
import type { Weight } from '../weight.ts';

const positive = z.number().positive();
const parameters = z.object({
  rope_theta: positive.optional(),
  rope_type: z.string().optional(),
  /** What `rope_type` was called at first. */
  type: z.string().optional(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: positive.optional(),
  partial_rotary_factor: positive.optional(),
});
/** The fields of `config.json`, as transformers 5 writes them (`rope_parameters`) and as it did before. */
export const rotaryFields = {
  rope_theta: positive.optional(),
  rope_scaling: parameters.nullish(),
  rope_parameters: parameters.nullish(),
};
type RotaryConfig = z.infer<z.ZodObject<typeof rotaryFields>>;

const DEFAULT_THETA = 10_000;

/**
 * Turns per position, in radians, of each of the `headDim / 2` pairs. In float32 at every step as transformers computes them:
 * at position 30,000 a difference of one bit in a frequency is one of 1e-3 in an angle.
 * @throws BuildError naming the field when the frequencies are of a kind that is not supported
 */
export function frequencies(config: RotaryConfig, headDim: number, file: string): Float32Array {
  const field = config.rope_parameters ? 'rope_parameters' : 'rope_scaling';
  const scaling = config.rope_parameters ?? config.rope_scaling ?? {};
  const theta = scaling.rope_theta ?? config.rope_theta ?? DEFAULT_THETA;
  const kind = scaling.rope_type ?? scaling.type ?? 'default';
  const plain = Float32Array.from({ length: headDim / 2 }, (_, pair) =>
    Math.fround(1 / Math.fround(theta ** Math.fround((2 * pair) / headDim))),
  );
  const needed = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor' | 'original_max_position_embeddings') => {
    const value = scaling[name];
    if (value === undefined) throw new BuildError(`${file}: ${field}: ${kind} needs ${name}`);
    return value;
  };
  if ((scaling.partial_rotary_factor ?? 1) !== 1)
    throw new BuildError(`${file}: ${field}: partial_rotary_factor ${scaling.partial_rotary_factor} is not supported`);
  switch (kind) {
    case 'default':
      return plain;
    case 'linear': {
      const factor = needed('factor');
      return plain.map((frequency) => frequency / factor);
    }
    case 'llama3': {
      const factor = needed('factor');
      const [low, high] = [needed('low_freq_factor'), needed('high_freq_factor')];
      const trained = needed('original_max_position_embeddings');
      return plain.map((frequency) => stretched(frequency, { factor, low, high, trained }));
    }
    default:
      throw new BuildError(`${file}: ${field}: rope_type '${kind}' is not supported, only default, linear and llama3`);
  }
}

/** Llama 3.1: slow turns are slowed by `factor`, fast ones kept, and those between mixed (`_compute_llama3_parameters`). */
function stretched(
  frequency: number,
  { factor, low, high, trained }: { factor: number; low: number; high: number; trained: number },
): number {
  const turns = trained / ((2 * Math.PI) / frequency);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const share = (turns - low) / (high - low);
  return ((1 - share) * frequency) / factor + share * frequency;
}

/** Cosines and sines `[positions, headDim / 2]`. */
export function rotaryTables(perPosition: Float32Array, positions: number): { cosines: Weight; sines: Weight } {
  const pairs = perPosition.length;
  const table = (name: string, of: (angle: number) => number): Weight => ({
    name,
    shape: [positions, pairs],
    read: () => {
      const values = new Float32Array(positions * pairs);
      for (let i = 0; i < values.length; i++)
        values[i] = of(Math.fround(Math.floor(i / pairs) * perPosition[i % pairs]!));
      return values;
    },
  });
  return { cosines: table('rotary/cosines', Math.cos), sines: table('rotary/sines', Math.sin) };
}
