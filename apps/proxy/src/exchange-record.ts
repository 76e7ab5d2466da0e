/** What is kept of a request that has ended: a line of the log, a trace. */
import type { AccessLog } from './access-log.ts';
import type { Exchange } from './exchange.ts';

/** @param now as `arrivedAt` of the exchange */
export function writeLine(log: AccessLog, exchange: Exchange, status: number, now: number): void {
  const { request, tries, arrivedAt, error, span } = exchange;
  log.write({
    requestId: exchange.requestId,
    method: request.method ?? '',
    path: request.url ?? '',
    route: exchange.route.name,
    status,
    durationMs: now - arrivedAt,
    waitMs: (tries?.firstAt ?? now) - arrivedAt,
    upstreamMs: tries?.lastAt === undefined ? undefined : (tries.answeredAt ?? now) - tries.lastAt,
    attempts: tries?.tried.length ?? 0,
    pod: tries?.tried.at(-1)?.id,
    keyName: exchange.keyName,
    errorCode: error?.code,
    bytesOut: tries?.delivery?.bytes ?? 0,
    traceId: span?.traceId,
  });
}

/** @param now as `arrivedAt` of the exchange */
export function endSpan(
  { span, request, route, tries, arrivedAt, error }: Exchange,
  status: number,
  now: number,
): void {
  if (span === undefined) return;
  const epoch = performance.timeOrigin;
  const stages = [{ name: 'wait', startMs: epoch + arrivedAt, endMs: epoch + (tries?.firstAt ?? now) }];
  if (tries?.lastAt !== undefined) {
    stages.push({ name: 'upstream', startMs: epoch + tries.lastAt, endMs: epoch + (tries.answeredAt ?? now) });
  }
  span.end({
    status,
    endedAtMs: epoch + now,
    stages,
    attributes: { 'http.request.method': request.method ?? '', 'http.route': route.name },
    ...(error === undefined ? {} : { error: error.code }),
  });
}
