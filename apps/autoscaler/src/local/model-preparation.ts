/** How come the models to be there before the first pod? Pulled and built once for all, so that no start of a pod is as long as a build. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type LogLine, type Program, type ProgramSpec, startProgram } from './program.ts';
import type { Screen } from './screen.ts';
import { StartError } from './start-error.ts';
import { howItEnded } from './system-event.ts';

const PROGRAM = fileURLToPath(new URL('../../../rag/dist/prepare-models.js', import.meta.url));

/** Of the pods; what is not a model of the repository may have to be pulled and built. */
const MODEL_VARIABLES = ['RAG_EMBEDDER', 'RAG_GENERATOR'] as const;

/** To end when it is told to: it has nothing to finish. */
const STOP_TIMEOUT_MS = 5_000;

export interface ModelPreparationParts {
  /** Of the pods. */
  readonly env: NodeJS.ProcessEnv;
  readonly screen: Pick<Screen, 'tell'>;
  readonly start?: (spec: ProgramSpec, onLine: (line: LogLine) => void) => Program;
}

export class ModelPreparation {
  readonly #parts: ModelPreparationParts;
  #program: Program | undefined;
  #isEnding = false;

  constructor(parts: ModelPreparationParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when they are there, or it has been told to end.
   * @throws StartError with the last words of what prepares them
   */
  async run(): Promise<void> {
    const { env, screen, start = startBuilt } = this.#parts;
    const isChosen = MODEL_VARIABLES.some((name) => !['', 'embedded'].includes(env[name]?.trim() ?? ''));
    if (!isChosen || this.#isEnding) return;
    // Its lines are progress to be seen, whatever is shown of the other processes.
    const spec = { file: PROGRAM, env: { ...env, LOG_LEVEL: 'info', LOG_FORMAT: 'json' } };
    this.#program = start(spec, (line) => screen.tell({ kind: 'preparing', line }));
    const end = await this.#program.ended;
    this.#program = undefined;
    if (end.code === 0 || this.#isEnding) return;
    throw new StartError(end.lastWords === '' ? `what prepares the models ${howItEnded(end)}` : end.lastWords);
  }

  async stop(): Promise<void> {
    this.#isEnding = true;
    await this.#program?.stop(STOP_TIMEOUT_MS);
  }

  kill(): void {
    this.#isEnding = true;
    this.#program?.kill();
  }
}

function startBuilt(spec: ProgramSpec, onLine: (line: LogLine) => void): Program {
  if (!existsSync(spec.file)) throw new StartError(`${spec.file} is not there: build it with npm run build`);
  return startProgram(spec, onLine);
}
