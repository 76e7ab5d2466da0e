/** The log of a process: JSON lines for machines, readable ones on a terminal. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { type PrettyOptions, prettyFactory } from 'pino-pretty';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['json', 'pretty', 'auto'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggingOptions {
  readonly level: LogLevel;
  /** `auto`: readable on a terminal, JSON elsewhere. */
  readonly format: LogFormat;
}

/** Where a secret could come along with an object that is logged. */
const REDACTED = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  '*.headers.authorization',
  'headers.cookie',
  '*.headers.cookie',
];

/** @param output standard output unless a test wants the lines */
export function createLogger(
  { level, format }: LoggingOptions,
  output: DestinationStream & { isTTY?: boolean } = process.stdout,
): Logger {
  const options = { ...COMMON, level, redact: { paths: REDACTED, censor: '[redacted]' } };
  return pino(options, isPretty(format, output) ? prettyStream(output, { colorize: output.isTTY === true }) : output);
}

/**
 * For lines that come by the thousand, whose fields are few, known and no secrets: nothing is looked through for any, and lines are
 * written together, at most half a second late. What is left is written when the process exits.
 */
export function createRequestLogger({ level, format }: LoggingOptions): Logger {
  if (isPretty(format, process.stdout)) return createLogger({ level, format });
  const destination = pino.destination({ dest: 1, sync: false, minLength: 8_192, periodicFlush: 500 });
  return pino({ ...COMMON, level }, destination);
}

const COMMON = {
  base: null,
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
  formatters: { level: (label: string) => ({ level: label }) },
};

function isPretty(format: LogFormat, output: { isTTY?: boolean }): boolean {
  return format === 'pretty' || (format === 'auto' && output.isTTY === true);
}

/** In this thread, not in pino's worker: the lines before an exit must not be lost. */
function prettyStream(output: DestinationStream, options: PrettyOptions): DestinationStream {
  const format = prettyFactory({ ...options, translateTime: 'SYS:HH:MM:ss.l', singleLine: true });
  return { write: (line) => output.write(format(line)) };
}
