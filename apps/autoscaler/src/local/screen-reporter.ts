/** Which rounds of the autoscaler are worth a line? Those that changed the number of pods, and trouble that lasts. */
import { explain } from '@ragscale/scaling/explain';
import type { Report, Reporter } from '../report.ts';
import type { Screen } from './screen.ts';

export class ScreenReporter implements Reporter {
  readonly #screen: Screen;
  readonly #patienceMs: number;
  #problem: string | undefined;
  #troubleSince: number | undefined;
  #isTroubleTold = false;

  /** @param patienceMs after which trouble with what is measured is told: until the windows are full there always is some */
  constructor(screen: Screen, patienceMs: number) {
    this.#screen = screen;
    this.#patienceMs = patienceMs;
  }

  report({ target, at, state, measured, decision, scaled, problem }: Report): void {
    if (scaled && decision !== undefined && state !== undefined) {
      const why = explain(decision, target.policy.objective);
      this.#screen.tell({ kind: 'scaled', from: state.replicas.spec, to: decision.replicas, why });
    }
    if (problem !== undefined && problem.reason !== this.#problem) this.#tell(problem.message);
    this.#problem = problem?.reason;
    this.#observeTrouble(measured?.trouble, at);
  }

  forget(): void {
    this.#problem = undefined;
    this.#observeTrouble(undefined, 0);
  }

  #observeTrouble(trouble: string | undefined, at: number): void {
    if (trouble === undefined) {
      this.#troubleSince = undefined;
      this.#isTroubleTold = false;
      return;
    }
    this.#troubleSince ??= at;
    if (this.#isTroubleTold || at - this.#troubleSince < this.#patienceMs) return;
    this.#isTroubleTold = true;
    this.#tell(trouble);
  }

  #tell(message: string): void {
    this.#screen.tell({ kind: 'trouble', message: `the autoscaler takes no pod away: ${message}` });
  }
}
