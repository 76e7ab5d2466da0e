/** A child process that does what a test says. */
import type { Condition, Started } from '../src/local/kept-process.ts';
import type { Program, ProgramEnd } from '../src/local/program.ts';

export class FakeProgram implements Program, Started {
  readonly name: string;
  readonly address: string;
  readonly pid = undefined;
  condition: Condition = 'alive';
  /** What was done to it, in order. */
  readonly done: string[] = [];
  /** It ends as soon as it is told to. */
  isObedient = true;
  readonly #ended = Promise.withResolvers<ProgramEnd>();
  #hasEnded = false;

  constructor(port: number) {
    this.name = `pod ${port}`;
    this.address = `127.0.0.1:${port}`;
  }

  get program(): Program {
    return this;
  }

  get ended(): Promise<ProgramEnd> {
    return this.#ended.promise;
  }

  async check(): Promise<Condition> {
    return this.#hasEnded ? 'silent' : this.condition;
  }

  async withdraw(): Promise<void> {
    this.done.push('withdrawn');
  }

  async stop(timeoutMs: number): Promise<boolean> {
    if (this.#hasEnded) return true;
    this.done.push('stopped');
    if (this.isObedient) this.end(0);
    else if (timeoutMs < Number.POSITIVE_INFINITY) this.end(null, 'SIGKILL');
    await this.ended;
    return this.isObedient;
  }

  kill(): void {
    if (this.#hasEnded) return;
    this.done.push('killed');
    this.end(null, 'SIGKILL');
  }

  end(code: number | null, signal: NodeJS.Signals | null = null, lastWords = ''): void {
    this.#hasEnded = true;
    this.#ended.resolve({ code, signal, lastWords });
  }
}
