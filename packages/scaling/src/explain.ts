/** Why is it this number? One line that a person can check by hand. */
import type { Decision } from './decision.ts';
import type { Objective } from './policy.ts';

/**
 * `4 -> 6 load: 11.2/s x 0.52 s = 5.8 busy, 95% under 2 s needs 5 (Erlang), 6 with what may come, +0 backlog; ready 4, starting 0`
 *
 * Busy is what the load would take if no request hindered another; what bound the number, if anything, is at the end.
 */
export function explain({ replicas, reason, recommended, terms }: Decision, objective: Objective): string {
  const { spec = replicas, ready = 0, starting = 0, perSecond, aloneMs } = terms;
  const parts: string[] = [];
  if (perSecond === undefined || aloneMs === undefined)
    parts.push(`no arrivals known, ${terms.failures ?? 0} times in a row`);
  else {
    const busy = (perSecond * aloneMs) / 1_000;
    const goal = goalOf(objective, terms.reachMs ?? objective.latencyMs);
    parts.push(`${short(perSecond)}/s x ${seconds(aloneMs)} = ${short(busy)} busy`);
    if ((terms.slots ?? 1) > 1)
      parts.push(`${terms.slots} slots, k at once take k^${short(terms.growth ?? 0, 2)} as long`);
    parts.push(`${goal} needs ${terms.load} (Erlang)`, `${terms.planned} with what may come`);
  }
  if (terms.backlog !== undefined) parts.push(`+${terms.backlog} backlog`);
  const bounds = boundsOf(terms, recommended, replicas);
  const supply = `ready ${ready}, starting ${starting}`;
  return `${spec} -> ${replicas} ${reason}: ${parts.join(', ')}; ${supply}${bounds === '' ? '' : `; ${bounds}`}`;
}

/** @param reachMs what was sized for, where that is not the objective */
function goalOf({ percentile, latencyMs }: Objective, reachMs: number): string {
  const reachable = `${percentile}% under ${seconds(reachMs)}`;
  if (reachMs === latencyMs) return reachable;
  return `${percentile}% under ${seconds(latencyMs)} is out of reach even for a request alone, ${reachable}`;
}

function boundsOf(terms: Decision['terms'], recommended: number, replicas: number): string {
  if (recommended === replicas) return '';
  const named: readonly [term: string, text: string][] = [
    ['windowMost', 'most of the window'],
    ['windowLeast', 'least of the window'],
    ['leastAllowed', 'no fewer by rate than'],
    ['mostAllowed', 'no more by rate than'],
    ['stuck', 'pods overdue'],
    ['min', 'min'],
    ['max', 'max'],
  ];
  const told = named.flatMap(([term, text]) => {
    const value = terms[term];
    return value === undefined || value >= Number.MAX_SAFE_INTEGER ? [] : [`${text} ${value}`];
  });
  return [`wanted ${recommended}`, ...told].join(', ');
}

function seconds(ms: number): string {
  return `${short(ms / 1_000, 2)} s`;
}

/** Without zeros that say nothing. */
function short(value: number, digits = 1): string {
  return String(Number(value.toFixed(digits)));
}
