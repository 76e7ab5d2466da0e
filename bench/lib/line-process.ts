/** A child process that answers each line with a line: two of them can take turns without starting anew. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

export class LineProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    this.#reader = createInterface(this.#child.stdout!);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Resolves when the process has said `ready`. */
  static async start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<LineProcess> {
    const started = new LineProcess(command, args, env);
    const first = await started.#next();
    if (first !== 'ready') throw new Error(`${command} said ${first}, not ready`);
    return started;
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    return this.#next();
  }

  stop(): void {
    this.#child.stdin!.end();
    this.#reader.close();
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
    return value;
  }
}
