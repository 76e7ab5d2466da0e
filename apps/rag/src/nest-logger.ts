/** Sends Nest's own messages to the log of the process. */
import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Nest tells of every module and route: for debugging only. */
  log(message: unknown): void {
    this.#logger.debug(String(message));
  }

  debug(message: unknown): void {
    this.#logger.debug(String(message));
  }

  verbose(message: unknown): void {
    this.#logger.trace(String(message));
  }

  warn(message: unknown): void {
    this.#logger.warn(String(message));
  }

  error(message: unknown): void {
    this.#logger.error(message instanceof Error ? { err: message } : {}, String(message));
  }

  fatal(message: unknown): void {
    this.#logger.fatal(String(message));
  }
}
