/** Which rounds are worth a line in the log? Those that changed something, those that have another reason than before, and new trouble. */
import { explain } from '@ragscale/scaling/explain';
import type { Logger } from 'pino';
import type { Report, Reporter } from './report.ts';
import type { Target } from './target.ts';

/** How long a target is new: what has just been installed has no samples of the longest window yet, and there is nothing to warn of. */
const NEW_MS = 120_000;

/** Of a target, as it was told last. */
interface Told {
  readonly since: number;
  /** Whether all was measured, once. */
  measured: boolean;
  reason: string | undefined;
  problem: string | undefined;
  trouble: string | undefined;
}

export class LogReporter implements Reporter {
  readonly #logger: Logger;
  /** By id. */
  readonly #told = new Map<string, Told>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report(report: Report): void {
    const told = this.#told.get(report.target.id) ?? {
      since: report.at,
      measured: false,
      reason: undefined,
      problem: undefined,
      trouble: undefined,
    };
    this.#told.set(report.target.id, told);
    this.#tellDecision(report, told);
    this.#tellProblem(report, told);
    this.#tellTrouble(report, told);
  }

  forget({ id }: Target): void {
    this.#told.delete(id);
  }

  #tellDecision({ target, state, decision, scaled }: Report, told: Told): void {
    if (decision === undefined) return;
    const isNews = scaled || decision.reason !== told.reason;
    told.reason = decision.reason;
    if (!isNews) return;
    const { replicas, recommended, reason } = decision;
    const numbers = { from: state?.replicas.spec, to: replicas, recommended, reason };
    const words = explain(decision, target.policy.objective);
    this.#logger.info({ ...nameOf(target), scaled, ...numbers }, words);
  }

  /** Its words may change from round to round, and its reason does not. */
  #tellProblem({ target, problem }: Report, told: Told): void {
    if (problem?.reason === told.problem) return;
    told.problem = problem?.reason;
    if (problem === undefined) this.#logger.info(nameOf(target), 'the target is served again');
    else this.#logger.warn({ ...nameOf(target), reason: problem.reason }, problem.message);
  }

  #tellTrouble({ target, at, measured }: Report, told: Told): void {
    // Not measured at all: then there is a problem, which is told.
    if (measured === undefined) return;
    told.measured ||= measured.trouble === undefined;
    const level = told.measured || at - told.since >= NEW_MS ? 'warn' : 'info';
    // The same with other numbers is no news: an age grows from round to round.
    const trouble = measured.trouble && `${level} ${measured.trouble.replace(/\d+/g, '#')}`;
    if (trouble === told.trouble) return;
    told.trouble = trouble;
    if (measured.trouble === undefined) this.#logger.info(nameOf(target), 'all that is needed is measured');
    else this.#logger[level](nameOf(target), measured.trouble);
  }
}

function nameOf({ namespace, name }: Target): { readonly namespace: string; readonly name: string } {
  return { namespace, name };
}
