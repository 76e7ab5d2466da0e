/** Does a request's Accept header ask for server-sent events? RFC 9110, 12.5.1. */

const EVENT_STREAM = 'text/event-stream';
const JSON_TYPE = 'application/json';

/** True where events are named and wanted no less than JSON; a wildcard names nothing. */
export function prefersEventStream(accept: string | undefined): boolean {
  const weights = new Map((accept ?? '').split(',').map((range) => weightOf(range)));
  const events = weights.get(EVENT_STREAM) ?? 0;
  return events > 0 && events >= (weights.get(JSON_TYPE) ?? 0);
}

function weightOf(range: string): [type: string, weight: number] {
  const [type = '', ...parameters] = range.toLowerCase().split(';');
  const weight = parameters.map((parameter) => /^\s*q=(\S*)\s*$/.exec(parameter)?.[1]).find((q) => q !== undefined);
  return [type.trim(), weight === undefined ? 1 : Number(weight)];
}
