/** Where does a pod's generator come from, and what does the engine load for it? */
import type { Engine, EngineOptions } from '@ragscale/inference/engine-api';
import { realClock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import type { Configuration } from '../configuration.ts';
import { embeddedFolder, type GeneratorElsewhere } from '../models/model-choice.ts';
import { connect } from './elsewhere/connect.ts';
import { EngineGenerator } from './engine-generator.ts';
import type { TextGenerator } from './text-generator.ts';

export interface GeneratorSource {
  /** What the engine is told of it. */
  readonly engineOptions: Pick<EngineOptions, 'generator' | 'slots' | 'context'>;
  /** Whether prompts are computed here, so that their beginnings can be shared. */
  readonly isHere: boolean;
  /** @throws GeneratorError, ServerError, and the signal's reason when it aborts */
  open(engine: Engine, signal: AbortSignal): Promise<TextGenerator>;
}

/** Any will do where it writes nothing: the engine has one, of the smallest cache. */
const UNUSED_CONTEXT = 128;

export function inPod(folder: string, { slots, context }: Pick<Configuration, 'slots' | 'context'>): GeneratorSource {
  return {
    engineOptions: { generator: folder, slots, ...(context === undefined ? {} : { context }) },
    isHere: true,
    open: async (engine) => new EngineGenerator(engine),
  };
}

export function elsewhere(choice: GeneratorElsewhere, configuration: Configuration, logger: Logger): GeneratorSource {
  return {
    engineOptions: { generator: embeddedFolder('generator'), slots: 1, context: UNUSED_CONTEXT },
    isHere: false,
    open: (_, signal) => connect({ choice, configuration, logger, clock: realClock, random: Math.random }, signal),
  };
}
