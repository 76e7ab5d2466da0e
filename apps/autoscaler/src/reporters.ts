/** How do several hear of the same rounds? One after the other, and none for the fault of another. */
import type { Logger } from 'pino';
import type { Report, Reporter } from './report.ts';
import type { Target } from './target.ts';

export class Reporters implements Reporter {
  readonly #reporters: readonly Reporter[];
  readonly #logger: Logger;

  constructor(reporters: readonly Reporter[], logger: Logger) {
    this.#reporters = reporters;
    this.#logger = logger;
  }

  report(report: Report): void {
    this.#each((reporter) => reporter.report(report));
  }

  forget(target: Target): void {
    this.#each((reporter) => reporter.forget(target));
  }

  #each(tell: (reporter: Reporter) => void): void {
    for (const reporter of this.#reporters) {
      try {
        tell(reporter);
      } catch (error) {
        this.#logger.error({ err: error }, 'a round could not be reported');
      }
    }
  }
}
