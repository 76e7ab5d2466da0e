/** How is a program run in the foreground beside the bench, and surely ended with it? */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_SECONDS = 20;
const STOP_SECONDS = 5;

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ChildOptions extends Command {
  readonly name: string;
  /** Answers 200 when the program is ready. */
  readonly readyUrl: string;
  /** Processors as `taskset -c` takes them; all when undefined. */
  readonly cpus?: string | undefined;
}

/** Where configurations and logs lie. */
let scratch: string | undefined;

export function scratchFolder(): string {
  scratch ??= mkdtempSync(path.join(tmpdir(), 'ragscale-bench-proxy-'));
  return scratch;
}

const running = new Set<Child>();

/** Ends what runs and removes what was written. By itself when the process exits; test runners kill theirs, and have to call it. */
export function cleanUp(): void {
  for (const child of running) child.signal('SIGKILL');
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  scratch = undefined;
}
process.on('exit', cleanUp);

export class Child {
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    this.pid = child.pid!;
    this.exited = once(child, 'exit').then(() => void running.delete(this));
  }

  /** Resolves when it is ready. @throws Error with the end of what the program wrote, when it ends or takes too long */
  static async start({ name, command, args, env, readyUrl, cpus }: ChildOptions): Promise<Child> {
    const log = path.join(scratchFolder(), `${name}.log`);
    const output = openSync(log, 'a');
    // As many files as may be had: ten thousand connections are among what is measured. Both wrappers become the program itself.
    const raised = ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh'];
    const pinned = cpus === undefined ? [] : ['taskset', '-c', cpus];
    const spawned = spawn('sh', [...raised, ...pinned, command, ...args], {
      stdio: ['ignore', output, output],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      // A group of its own: its workers end with it, even when it is killed.
      detached: true,
    });
    closeSync(output);
    await Promise.race([once(spawned, 'spawn'), once(spawned, 'error').then(([error]) => Promise.reject(error))]);
    const child = new Child(spawned, log);
    running.add(child);
    const deadline = performance.now() + START_SECONDS * 1000;
    while (!(await answers(readyUrl))) {
      if (child.hasExited) throw child.#failure('ended before it was ready');
      if (performance.now() > deadline) {
        await child.stop();
        throw child.#failure(`was not ready after ${START_SECONDS} s`);
      }
      await sleep(20);
    }
    return child;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** To it and its workers. */
  signal(signal: NodeJS.Signals): void {
    if (this.hasExited) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** SIGTERM, and SIGKILL to one that does not end. */
  async stop(): Promise<void> {
    if (this.hasExited) return;
    // A program that is frozen would not see it.
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_SECONDS * 1000);
    await this.exited;
    clearTimeout(timer);
  }

  #failure(what: string): Error {
    return new Error(`${this.#child.spawnargs.join(' ')} ${what}:\n${readFileSync(this.#log, 'utf8').slice(-2000)}`);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
