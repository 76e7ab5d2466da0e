/** How is a program of the control plane started, watched and ended? */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** After which it is ended by force. */
const PATIENCE_MS = 20_000;

/** Linux ends it with us even if we are killed. */
const withParent = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

export class Program {
  readonly #file: string;
  readonly #log: string;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  readonly #killAtExit = () => this.signal('SIGKILL');

  /** @param log the file that its output is appended to */
  constructor(file: string, log: string, flags: readonly string[]) {
    this.#file = file;
    this.#log = log;
    this.#flags = flags;
  }

  start(): void {
    const output = openSync(this.#log, 'a');
    const [command = '', ...flags] = [
      ...(withParent ? ['setpriv', '--pdeathsig', 'KILL'] : []),
      this.#file,
      ...this.#flags,
    ];
    this.#child = spawn(command, flags, { stdio: ['ignore', output, output] });
    this.#child.on('error', () => undefined);
    closeSync(output);
    process.on('exit', this.#killAtExit);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#isRunning()) this.#child?.kill(signal);
  }

  /** Resolves when it has ended. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    process.off('exit', this.#killAtExit);
    const child = this.#child;
    if (!child || !this.#isRunning()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  }

  /** @throws Error with the end of its output */
  throwIfEnded(): void {
    if (!this.#isRunning()) throw new Error(`${path.basename(this.#file)} has ended: ${this.lastWords()}`);
  }

  lastWords(): string {
    return readFileSync(this.#log, 'utf8').trim().split('\n').slice(-5).join('\n');
  }

  #isRunning(): boolean {
    return this.#child?.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }
}
